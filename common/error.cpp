#include "common/error.h"

namespace hansa {

std::string Error::text() const {
  std::string out;
  if (!location.empty()) out += location + ": ";
  out += what;
  if (!hint.empty()) out += "; " + hint;
  return out;
}

const char* name(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::usage: return "usage";
    case ErrorCode::data: return "data";
    case ErrorCode::model: return "model";
    case ErrorCode::refused: return "refused";
    case ErrorCode::network: return "network";
    case ErrorCode::protocol: return "protocol";
    case ErrorCode::storage: return "storage";
    case ErrorCode::resource: return "resource";
    case ErrorCode::quorum: return "quorum";
    case ErrorCode::internal: return "internal";
  }
  return "internal";
}

int exit_code(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::usage: return 2;
    case ErrorCode::data: return 3;
    case ErrorCode::model: return 4;
    case ErrorCode::refused: return 5;
    case ErrorCode::network: return 6;
    case ErrorCode::protocol: return 7;
    case ErrorCode::storage: return 8;
    case ErrorCode::resource: return 9;
    case ErrorCode::quorum: return 10;
    case ErrorCode::internal: return 1;
  }
  return 1;
}

}  // namespace hansa
