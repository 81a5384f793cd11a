// Which examples a device holds out: those on which models are measured, and on which none is trained.
//
// An example is held out by what it is, not by where it is: by a keyed hash of its input values. So the choice is the
// same in every round and after every restart, examples keep their side when a followed file grows or the replay
// reservoir moves them, and examples with equal inputs are on the same side. The device alone has the key, so that the
// aggregator can neither choose the examples nor change the choice from round to round. Another fraction holds other
// examples out.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "common/error.h"
#include "learning/data/data_source.h"

namespace hansa::learning {

// Indices of a source's examples, ascending.
struct ExampleSplit {
  std::vector<std::uint32_t> training;
  std::vector<std::uint32_t> held_out;
};

// fraction: 0 (nothing is held out) to hold_out_fraction_max. Each example is held out with this probability, which the
// key decides. Reads the inputs of all examples that have no identity().
[[nodiscard]] Result<ExampleSplit> split_examples(const DataSource& source, double fraction,
                                                  std::uint64_t key, const std::stop_token& stop = {});

// Some of the examples of another source, which outlives it.
class ExampleSubset final : public DataSource {
 public:
  // indices: at least one.
  ExampleSubset(const DataSource& source, std::vector<std::uint32_t> indices)
      : source_(source), indices_(std::move(indices)) {}

  [[nodiscard]] std::uint64_t example_count() const override { return indices_.size(); }
  [[nodiscard]] const ExampleShape& shape() const override { return source_.shape(); }
  [[nodiscard]] DataDescription description() const override { return source_.description(); }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    return source_.memory_bytes() + indices_.size() * sizeof(std::uint32_t);
  }
  [[nodiscard]] std::string location() const override { return source_.location(); }
  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    return source_.read(own(indices), tensors);
  }
  [[nodiscard]] Result<void> read_augmented(std::span<const std::uint32_t> indices,
                                            std::span<const TensorBytes> tensors,
                                            std::uint64_t seed) const override {
    return source_.read_augmented(own(indices), tensors, seed);
  }
  [[nodiscard]] bool decodes() const override { return source_.decodes(); }
  [[nodiscard]] std::vector<Error> left_out() const override { return source_.left_out(); }
  [[nodiscard]] std::uint64_t damaged_files_max() const override { return source_.damaged_files_max(); }
  [[nodiscard]] std::optional<Digest> identity(std::uint32_t index) const override {
    return source_.identity(indices_[index]);
  }

 private:
  [[nodiscard]] std::vector<std::uint32_t> own(std::span<const std::uint32_t> indices) const {
    std::vector<std::uint32_t> out;
    out.reserve(indices.size());
    for (const std::uint32_t index : indices) out.push_back(indices_[index]);
    return out;
  }

  const DataSource& source_;
  std::vector<std::uint32_t> indices_;
};

}  // namespace hansa::learning
