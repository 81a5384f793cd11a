// The decoded updates of a round, for rules that need all of them at once: a row of float32 values for each. Rows are in
// memory as far as a budget allows, and then in a file without a name that is mapped, so that every row can be read at
// any place.
//
// Memory: 4 bytes for each value of each update. One thread adds rows; any thread may read them afterwards.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"

namespace hansa::server {

class KeptUpdates {
 public:
  // The folder for the file is created when it is needed.
  KeptUpdates(std::size_t elements, std::filesystem::path folder, std::uint64_t memory_bytes_max);
  ~KeptUpdates();
  KeptUpdates(const KeptUpdates&) = delete;
  KeptUpdates& operator=(const KeptUpdates&) = delete;

  // The memory for another row, whose values are not specified; it is no update before add(). Fails (storage) if it has to
  // be in the file and the disk has no room for it.
  [[nodiscard]] Result<std::span<float>> room();
  // What was written to the last room() is an update.
  void add(std::string client, std::uint64_t weight);
  // Forgets all updates, and keeps their memory for the next round.
  void clear();

  [[nodiscard]] std::size_t count() const { return updates_.size(); }
  [[nodiscard]] std::size_t elements() const { return elements_; }
  [[nodiscard]] std::uint64_t memory_bytes() const;  // of the rows that are not in the file
  struct Update {
    std::string client;
    std::uint64_t weight = 0;  // examples
    std::span<const float> values;
  };
  // By the clients' names, so that what is computed from them does not depend on the order in which they came.
  [[nodiscard]] std::vector<Update> sorted() const;

 private:
  class Row;
  std::size_t elements_;
  std::filesystem::path folder_;
  std::uint64_t memory_bytes_max_;
  std::vector<std::unique_ptr<Row>> rows_;  // those of updates_, and then free ones
  std::vector<Update> updates_;
};

}  // namespace hansa::server
