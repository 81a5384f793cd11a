#include "tools/commands.h"

int main(int argc, char** argv) { return hansa::tools::run_hansa(argc, argv); }
