// `hansa`, the operator's tool.
#include <span>

#include "common/program.h"
#include "tools/forwarded_commands.h"

int main(int argc, char** argv) {
  using namespace hansa;
  // With the null pointer at its end, which execv() reads.
  const std::span<char* const> words(argv, static_cast<std::size_t>(argc));
  if (tools::is_forwarded(words)) return run_program("hansa", [&] { return tools::forward(words); });
  return tools::run_hansa(argc, argv, tools::forwarded_commands());
}
