#include "learning/damaged_examples.h"

namespace hansa::learning {
namespace {

bool is_damage(const Error& error) { return error.reason.code == ReasonCode::example_invalid; }

}  // namespace

Result<void> DamagedFiles::add(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!names_.insert(error.location).second) return {};
  return found_.add(error);
}

std::string DamagedFiles::note(const std::string& location) const {
  const std::lock_guard lock(mutex_);
  if (found_.errors().empty()) return {};
  return note_of_damaged(location, found_.errors(), "replaced by other examples").text();
}

Result<void> ReplacedExamples::read(std::span<const std::uint32_t> indices,
                                    std::span<const TensorBytes> tensors) const {
  return read_with(indices, tensors, std::nullopt);
}

Result<void> ReplacedExamples::read_augmented(std::span<const std::uint32_t> indices,
                                              std::span<const TensorBytes> tensors,
                                              std::uint64_t seed) const {
  return read_with(indices, tensors, seed);
}

Result<void> ReplacedExamples::read_source(std::span<const std::uint32_t> indices,
                                           std::span<const TensorBytes> tensors, Seed seed) const {
  return seed ? source_.read_augmented(indices, tensors, *seed) : source_.read(indices, tensors);
}

std::uint32_t ReplacedExamples::replacement_of(std::uint32_t index) const {
  const std::lock_guard lock(mutex_);
  const auto found = replacements_.find(index);
  return found == replacements_.end() ? index : found->second;
}

Result<void> ReplacedExamples::read_with(std::span<const std::uint32_t> indices,
                                         std::span<const TensorBytes> tensors, Seed seed) const {
  std::vector<std::uint32_t> wanted;
  wanted.reserve(indices.size());
  for (const std::uint32_t index : indices) wanted.push_back(replacement_of(index));
  auto read = read_source(wanted, tensors, seed);
  if (read || !damaged_.may_have_some() || !is_damage(read.error())) return read;
  // One of them is damaged. Each is read by itself, to find which.
  for (std::size_t i = 0; i < indices.size(); ++i) {
    std::vector<TensorBytes> own(tensors.size());
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      const std::size_t bytes = shape()[t].bytes();
      if (!tensors[t].empty()) own[t] = tensors[t].subspan(i * bytes, bytes);
    }
    HANSA_TRY_VOID(read_or_replace(indices[i], own, seed));
  }
  return {};
}

Result<void> ReplacedExamples::read_or_replace(std::uint32_t index, std::span<const TensorBytes> tensors,
                                               Seed seed) const {
  const auto count = static_cast<std::uint32_t>(example_count());
  std::uint32_t at = replacement_of(index);
  for (std::uint32_t tried = 0;; ++tried) {
    auto read = read_source(std::span(&at, 1), tensors, seed);
    if (read) break;
    if (!is_damage(read.error()) || tried == count) return read;
    HANSA_TRY_VOID(damaged_.add(read.error()));
    at = at + 1 == count ? 0 : at + 1;
  }
  if (at != index) {
    const std::lock_guard lock(mutex_);
    replacements_[index] = at;
  }
  return {};
}

}  // namespace hansa::learning
