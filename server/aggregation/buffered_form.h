// The updates of a buffer of asynchronous aggregation: Nguyen et al., "Federated Learning with Buffered Asynchronous
// Aggregation" (AISTATS 2022), algorithm 1, lines 8 to 13.
//
// The result is the sum of weight * delta over the updates of the buffer, divided by the sum of their full weights: with
// full weights of 1 it is divided by their number, as in the paper. The sums are exact, so that the order of the updates of
// a buffer changes no bit.
//
// Updates are not bound to a buffer before they are counted. They arrive in spools, and begin() leaves them alone.
// open(), append() and drop() may be called on their thread while another thread calls finish(), reads the mean, or calls
// scratch() and release(): they use the spools, and the others the sum. count() may not.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "protocols/codecs/plan.h"
#include "server/aggregation/accumulator.h"
#include "server/aggregation/internal/open_updates.h"
#include "server/aggregation/scaled_mean.h"
#include "server/aggregation/update_form.h"

namespace hansa::server {

class BufferedForm final : public UpdateForm {
 public:
  // plan: how updates of `elements` values are encoded; null: as float32. The pools outlive the form.
  BufferedForm(std::size_t elements, std::shared_ptr<const codecs::Plan> plan, WorkerPool& workers,
               SpoolPool& spools);

  [[nodiscard]] Result<void> begin(const RoundSetup& setup) override;
  [[nodiscard]] UpdateSizes sizes() const override;
  [[nodiscard]] Result<void> open(const UpdateTicket& ticket) override { return open_.open(ticket); }
  [[nodiscard]] Result<void> append(std::string_view client, std::span<const std::byte> bytes) override {
    return open_.append(client, bytes);
  }
  // Required before count().
  void amend(std::string_view client, const CountTerms& terms) override;
  [[nodiscard]] Result<CountedUpdate> count(std::string_view client) override;
  void drop(std::string_view client) override { open_.drop(client); }
  [[nodiscard]] Result<Aggregate> finish(const std::optional<SumOpening>& opening) override;
  [[nodiscard]] std::span<float> scratch() override { return sum_.scratch(); }
  void release() override { sum_.clear(); }

 private:
  [[nodiscard]] Result<double> add(const internal::OpenUpdates::Open& update, const CountTerms& terms);
  [[nodiscard]] Result<double> add_encoded(const internal::OpenUpdates::Open& update,
                                           const CountTerms& terms);
  [[nodiscard]] Result<double> add_float32(const Spool& spool, const CountTerms& terms);

  std::shared_ptr<const codecs::Plan> plan_;
  internal::OpenUpdates open_;
  std::map<std::string, CountTerms, std::less<>> terms_;  // of updates that are about to be counted
  Accumulator sum_;
  ScaledMean mean_{sum_};
  PlainSetup setup_;
  std::uint64_t full_weight_ = 0;  // of all counted updates
  std::vector<std::byte> read_, unpacked_;  // of the update that is counted
};

}  // namespace hansa::server
