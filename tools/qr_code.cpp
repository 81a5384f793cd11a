#include "tools/qr_code.h"

#include <memory>

#include <qrencode.h>

namespace hansa::tools {
namespace {

constexpr int margin = 2;  // modules; the standard asks for 4, readers of screens need fewer

class Modules {
 public:
  explicit Modules(const QRcode& code) : code_(code) {}
  [[nodiscard]] int size() const { return code_.width + 2 * margin; }
  // Everything outside is light.
  [[nodiscard]] bool is_light(int x, int y) const {
    x -= margin;
    y -= margin;
    if (x < 0 || y < 0 || x >= code_.width || y >= code_.width) return true;
    return (code_.data[y * code_.width + x] & 1) == 0;
  }

 private:
  const QRcode& code_;
};

}  // namespace

Result<std::string> qr_code(std::string_view text) {
  const std::unique_ptr<QRcode, decltype(&::QRcode_free)> code(
      ::QRcode_encodeString(std::string(text).c_str(), 0, QR_ECLEVEL_L, QR_MODE_8, 1), &::QRcode_free);
  if (!code) return fail(ErrorCode::usage, "QR code", "cannot be made of this text", "use a shorter text");
  const Modules modules(*code);
  std::string out;
  for (int y = 0; y < modules.size(); y += 2) {
    for (int x = 0; x < modules.size(); ++x) {
      const bool upper = modules.is_light(x, y);
      const bool lower = y + 1 >= modules.size() || modules.is_light(x, y + 1);
      out += upper && lower ? "\u2588" : upper ? "\u2580" : lower ? "\u2584" : " ";
    }
    out += "\n";
  }
  return out;
}

}  // namespace hansa::tools
