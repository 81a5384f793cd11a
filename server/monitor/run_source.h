// What the API shows of one run, read from its folder while an aggregator may be writing to it.
//
// refresh() compares the times of the run's files and reads what is new; so a request costs what changed since the one
// before. Of each round that was asked for, its JSON text is kept, because a committed round does not change, except for its
// model, which may be removed, and its evaluation. One thread.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "server/config/federation_config.h"
#include "server/store/metric_course.h"
#include "server/store/run.h"
#include "server/store/run_listing.h"

namespace hansa::server {

class RunSource {
 public:
  explicit RunSource(ListedRun listed);

  // Fails (storage) if the run cannot be read, until it can be.
  [[nodiscard]] Result<void> refresh();

  // As of the last refresh().
  [[nodiscard]] const std::string& name() const { return listed_.name; }
  [[nodiscard]] const std::filesystem::path& folder() const { return listed_.folder; }
  [[nodiscard]] RunState state() const { return state_; }
  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }
  [[nodiscard]] const std::optional<RunIdentity>& identity() const { return identity_; }  // empty: not begun
  [[nodiscard]] RoundId last_round() const { return last_; }
  [[nodiscard]] const std::string& started_at() const { return started_at_; }  // RFC 3339, UTC; may be empty
  [[nodiscard]] const std::string& last_round_at() const {
    return last_round_at_;
  }  // when it began; may be empty
  [[nodiscard]] const std::optional<RunEnd>& end() const { return end_; }
  // The newest federation.toml of the run; empty: there is none, or this Hansa cannot read it.
  [[nodiscard]] const std::optional<FederationConfig>& configuration() const { return configuration_; }

  // The best and the last value of accuracy, or else of the run's first metric. Unless the run has evaluations, it reads
  // metrics.jsonl once, and from the database the rounds that are not in it and that were not read before.
  [[nodiscard]] Result<std::optional<MetricCourse>> course();
  // `Round` of each of these committed rounds, which are in order.
  [[nodiscard]] Result<std::vector<std::string>> round_texts(std::span<const RoundId> wanted);
  // All, in the order of their rounds; round 0 is the initial model.
  [[nodiscard]] const std::vector<std::pair<RoundId, Metrics>>& evaluations() const { return evaluations_; }
  [[nodiscard]] std::vector<RoundId> evaluated_rounds() const;
  [[nodiscard]] const Metrics* evaluation(RoundId round) const;

  // The run, opened for reading; for what is not kept. It is closed by close().
  [[nodiscard]] Result<Run*> open();
  void close() { run_.reset(); }

  // Of the kept texts.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  void drop_texts();

 private:
  // What changes when the run does.
  struct Stamp {
    std::uint64_t inode = 0;
    // Of the database, of its WAL file and of the folder with configurations.
    std::array<std::uintmax_t, 2> sizes{};
    std::array<std::filesystem::file_time_type, 3> times{};
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  [[nodiscard]] Stamp stamp() const;
  [[nodiscard]] Result<void> read_changes();
  void read_configuration();
  void forget();
  [[nodiscard]] Result<void> read_courses();
  [[nodiscard]] Result<void> read_lines(Run& run);
  void keep(const RoundRecord& record);

  ListedRun listed_;
  RunState state_ = RunState::empty;
  std::optional<Error> problem_;
  std::optional<Stamp> read_at_;  // empty: to be read again
  std::unique_ptr<Run> run_;

  std::optional<RunIdentity> identity_;
  RoundId last_;
  std::string started_at_, last_round_at_;
  std::optional<RunEnd> end_;
  std::vector<std::pair<RoundId, Metrics>> evaluations_;
  std::vector<RoundId> without_model_;
  std::optional<FederationConfig> configuration_;
  ClientCourses courses_;
  RoundId courses_through_;  // the last round in courses_
  std::map<RoundId, std::string> texts_;
  std::size_t bytes_ = 0;
};

}  // namespace hansa::server
