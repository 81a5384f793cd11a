// metrics.jsonl of a run folder, kept in step with its database.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "server/store/internal/database.h"
#include "server/store/internal/metrics_lines.h"

namespace hansa::server::internal {

class MetricsLog {
 public:
  // Appends what the database has and the file has not. Both outlive the log.
  [[nodiscard]] static Result<MetricsLog> open(const std::filesystem::path& file, Database& database);

  // The database has committed what the line says: that the file cannot follow now (a full disk) must not turn a
  // success into a failure. It catches up at the next line or the next open.
  void append(const std::string& line);

 private:
  MetricsLog(std::filesystem::path file, Database& database) : file_(std::move(file)), database_(&database) {}
  [[nodiscard]] Result<void> catch_up();

  std::filesystem::path file_;
  Database* database_;
  std::optional<MetricsLines> lines_;  // empty: the file lacks lines
};

}  // namespace hansa::server::internal
