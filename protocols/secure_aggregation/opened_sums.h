// The sums that a client helped to open, and which further ones it may help to open.
//
// The difference of two sums that contain the same updates shows the updates that only one of them contains. So for one
// update a client helps to open another sum only if the difference hides single updates: the survivors are the same, or
// each of the two sums has as many clients that the other one lacks as any sum must have. Names and numbers that the
// aggregator chooses (round, attempt, nonce) play no role: a sum is identified by the values of the model from which
// the client trained, which the client computed itself, and by the client's own update.
//
// Another update from the same model, trained with other randomness, may still resemble the first. Therefore a model
// has at most sums_per_model_max sums. The client keeps what it opened durably, in its state, before it answers.
//
// A value type; not thread-safe.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/checksum.h"
#include "common/digest.h"
#include "common/error.h"

namespace hansa::secure_aggregation {

inline constexpr std::size_t sums_per_model_max = 8;
inline constexpr std::size_t opened_sums_max = 1'000;  // the oldest are forgotten

using ClientTag = std::array<std::uint8_t, 16>;  // the start of the SHA-256 of a client's name

struct OpenedSum {
  Digest model;  // of its values
  Checksum update;  // of the client's own update, before it was masked
  std::vector<ClientTag> survivors;  // sorted
  Digest grid = {};  // how the update became ring elements: SumSetup::grid()
  std::uint32_t certificate_epoch = 1;  // of the sum
  friend bool operator==(const OpenedSum&, const OpenedSum&) = default;
};
[[nodiscard]] ClientTag tag_of(std::string_view client);

class OpenedSums {
 public:
  OpenedSums() = default;
  // earlier: from the oldest to the newest.
  explicit OpenedSums(std::vector<OpenedSum> earlier) : sums_(std::move(earlier)) {}

  // Fails (refused) if opening this sum after the earlier ones could show single updates.
  [[nodiscard]] Result<void> check(const OpenedSum& next, std::size_t contributors_min) const;
  // The same for a sum of statistics of the clients' data: every two sums must differ by as many clients, even if this
  // client's part is another one, because most of its data are in both, whatever the aggregator chose to hold out.
  [[nodiscard]] Result<void> check_statistics(const OpenedSum& next, std::size_t contributors_min) const;
  // The same for a sum with what the clients measured of the model: fails also if another sum of the model was opened,
  // because these measurements do not change from one training to the next.
  [[nodiscard]] Result<void> check_measured(const OpenedSum& next) const;
  [[nodiscard]] bool has(const OpenedSum& sum) const;
  void add(OpenedSum sum);
  // The highest epoch of certificates in which a sum was opened. The operator has ended the certificates of earlier
  // ones.
  [[nodiscard]] std::uint32_t certificate_epoch() const;

 private:
  std::vector<OpenedSum> sums_;
};

}  // namespace hansa::secure_aggregation
