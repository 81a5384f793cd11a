// Examples of files that are decoded when they are read, some of which turn out to be damaged then.
//
// A damaged example is replaced by the next one of the same examples that can be read, so that their number, the batches
// and the choice of held-out examples stay what they are. Which one that is depends on the data alone.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "learning/data/data_source.h"
#include "learning/data/left_out.h"

namespace hansa::learning {

// The files that were found to be damaged during one training. Thread-safe.
class DamagedFiles {
 public:
  // `allowed`: how many, as DataSource::damaged_files_max().
  explicit DamagedFiles(std::uint64_t allowed) : allowed_(allowed), found_(allowed) {}

  [[nodiscard]] bool may_have_some() const { return allowed_ > 0; }
  // The error of an example of a file. Fails if there are too many files.
  [[nodiscard]] Result<void> add(const Error& error);
  // For the log of this machine. Empty: there are none.
  [[nodiscard]] std::string note(const std::string& location) const;

 private:
  std::uint64_t allowed_;
  mutable std::mutex mutex_;
  std::set<std::string> names_;
  LeftOut found_;
};

class ReplacedExamples final : public DataSource {
 public:
  // Both outlive it.
  ReplacedExamples(const DataSource& source, DamagedFiles& damaged) : source_(source), damaged_(damaged) {}

  [[nodiscard]] std::uint64_t example_count() const override { return source_.example_count(); }
  [[nodiscard]] const ExampleShape& shape() const override { return source_.shape(); }
  [[nodiscard]] DataDescription description() const override { return source_.description(); }
  [[nodiscard]] std::uint64_t memory_bytes() const override { return source_.memory_bytes(); }
  [[nodiscard]] std::string location() const override { return source_.location(); }
  [[nodiscard]] bool decodes() const override { return source_.decodes(); }
  [[nodiscard]] std::optional<Digest> identity(std::uint32_t index) const override {
    return source_.identity(index);
  }
  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override;
  [[nodiscard]] Result<void> read_augmented(std::span<const std::uint32_t> indices,
                                            std::span<const TensorBytes> tensors,
                                            std::uint64_t seed) const override;

 private:
  using Seed = std::optional<std::uint64_t>;
  [[nodiscard]] Result<void> read_with(std::span<const std::uint32_t> indices,
                                       std::span<const TensorBytes> tensors, Seed seed) const;
  [[nodiscard]] Result<void> read_source(std::span<const std::uint32_t> indices,
                                         std::span<const TensorBytes> tensors, Seed seed) const;
  [[nodiscard]] Result<void> read_or_replace(std::uint32_t index, std::span<const TensorBytes> tensors,
                                             Seed seed) const;
  [[nodiscard]] std::uint32_t replacement_of(std::uint32_t index) const;

  const DataSource& source_;
  DamagedFiles& damaged_;
  mutable std::mutex mutex_;
  mutable std::map<std::uint32_t, std::uint32_t> replacements_;
};

}  // namespace hansa::learning
