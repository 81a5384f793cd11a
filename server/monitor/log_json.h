// `LogRecord` of the API. Pure.
#pragma once
#include <nlohmann/json_fwd.hpp>

#include "common/log_record.h"

namespace hansa::server {

[[nodiscard]] nlohmann::ordered_json api_log_record(const LogRecord& record);

}  // namespace hansa::server
