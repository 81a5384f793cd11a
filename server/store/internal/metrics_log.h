// metrics.jsonl of a run folder, kept consistent with its database.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "server/store/internal/database.h"
#include "server/store/internal/metrics_lines.h"

namespace hansa::server::internal {

class MetricsLog {
 public:
  // Opens the file, and appends the lines that it lacks. The database must outlive the log.
  [[nodiscard]] static Result<MetricsLog> open(const std::filesystem::path& file, Database& database);

  // Reports no failure, because the database has already committed the content. If the line cannot be written (a full
  // disk), the next append() or the next open() writes it.
  void append(const std::string& line);

 private:
  MetricsLog(std::filesystem::path file, Database& database) : file_(std::move(file)), database_(&database) {}
  [[nodiscard]] Result<void> catch_up();

  std::filesystem::path file_;
  Database* database_;
  std::optional<MetricsLines> lines_;  // empty: the file lacks lines
};

}  // namespace hansa::server::internal
