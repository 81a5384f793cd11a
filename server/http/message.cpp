#include "server/http/message.h"

#include <nlohmann/json.hpp>

namespace hansa::http {

Response error_response(unsigned status, const std::string& code, const std::string& message,
                        const std::string& hint) {
  nlohmann::ordered_json error{{"code", code}, {"message", message}};
  if (!hint.empty()) error["hint"] = hint;
  Response out;
  out.status = status;
  out.body = nlohmann::ordered_json{{"error", std::move(error)}}.dump(
                 -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
             "\n";
  return out;
}

}  // namespace hansa::http
