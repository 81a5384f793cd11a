// Masked updates of several groups, each with a secure sum of its own, while other groups train: buffered aggregation with
// secure aggregation (docs/round.md).
//
// Each sum has the memory of one masked vector from begin() to drop_sum() or release(). The mean of an opened sum is
// multiplied by what its staleness lets it count (SumOpening::weight).
//
// finish(), the mean, scratch() and release() concern the sum that is opened, and may run on another thread while the other
// functions are called for other sums.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "server/aggregation/masked_form.h"
#include "server/aggregation/scaled_mean.h"
#include "server/aggregation/update_form.h"

namespace hansa::server {

class MaskedGroupsForm final : public UpdateForm {
 public:
  // As for MaskedForm.
  MaskedGroupsForm(std::size_t elements, unsigned value_bits, WorkerPool& workers, SpoolPool& spools)
      : elements_(elements), value_bits_(value_bits), workers_(workers), spools_(spools) {}

  // Starts the sum that setup names, whose number no other sum of this form had.
  [[nodiscard]] Result<void> begin(const RoundSetup& setup) override;
  // Not known without a sum: the coordinator knows the sizes of each sum itself.
  [[nodiscard]] UpdateSizes sizes() const override { return {}; }
  [[nodiscard]] Result<void> open(const UpdateTicket& ticket) override;
  [[nodiscard]] Result<void> append(std::string_view client, std::span<const std::byte> bytes) override;
  [[nodiscard]] Result<CountedUpdate> count(std::string_view client) override;
  void drop(std::string_view client) override;
  void drop_sum(SumNumber sum) override;
  // As MaskedForm::finish. What the clients of a stale sum measured of their model is left out of the totals, because
  // a round records what was measured of the model before it.
  [[nodiscard]] Result<Aggregate> finish(const std::optional<SumOpening>& opening) override;
  [[nodiscard]] std::span<float> scratch() override;
  void release() override;

 private:
  // Null: there is no such sum.
  [[nodiscard]] std::shared_ptr<MaskedForm> find(SumNumber sum) const;
  // Of the sum to which the client's open update belongs. Fails (internal) if it has none.
  [[nodiscard]] Result<std::shared_ptr<MaskedForm>> form_of(std::string_view client) const;

  std::size_t elements_;
  unsigned value_bits_;
  WorkerPool& workers_;
  SpoolPool& spools_;
  std::map<std::string, SumNumber, std::less<>> open_;  // the sums of the open updates, by client
  mutable std::mutex mutex_;  // of sums_, which both threads look into
  std::map<SumNumber, std::shared_ptr<MaskedForm>> sums_;
  // The sum that is opened.
  SumNumber opened_number_ = 0;
  std::shared_ptr<MaskedForm> opened_;
  std::optional<ScaledMean> mean_;
};

}  // namespace hansa::server
