// For a build without librsvg.
#include "tools/chart_image.h"

namespace hansa::tools {

Result<std::string> png_of(const std::string& /*svg*/) {
  return fail(ErrorCode::usage, "", "this program was built without librsvg, and writes no PNG image",
              "write an SVG file (-o FILE.svg), or build it with the package librsvg2-dev");
}

}  // namespace hansa::tools
