// A form of update that keeps all updates until the end: their coordinate-wise median (Yin et al., "Byzantine-Robust
// Distributed Learning", ICML 2018), unweighted. Tests use it to show that such a rule fits UpdateForm.
#pragma once
#include <algorithm>
#include <cassert>
#include <memory>
#include <vector>

#include "protocols/codecs/seeds.h"
#include "server/aggregation/decode_update.h"
#include "server/aggregation/internal/open_updates.h"
#include "server/aggregation/update_form.h"

namespace hansa::server::testing {

// The median of the values. Changes their order.
inline float median_of(std::vector<float>& values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

class MedianForm final : public UpdateForm {
 public:
  // plan: none for float32.
  MedianForm(std::size_t elements, std::shared_ptr<const codecs::Plan> plan, SpoolPool& spools)
      : plan_(std::move(plan)), open_(spools), median_(elements) {}

  Result<void> begin(const RoundSetup& setup) override {
    open_.drop_all();
    kept_.clear();
    setup_ = std::get<PlainSetup>(setup);
    return {};
  }
  UpdateSizes sizes() const override {
    return plan_ ? encoded_update_sizes(*plan_) : float32_update_sizes(median_.values.size());
  }
  Result<void> open(const UpdateTicket& ticket) override { return open_.open(ticket); }
  Result<void> append(std::string_view client, std::span<const std::byte> bytes) override {
    return open_.append(client, bytes);
  }
  // Verified now, and decoded again at the end: the decoded values of all updates would be too many.
  Result<CountedUpdate> count(std::string_view client) override {
    HANSA_TRY(auto complete, open_.take(client));
    HANSA_TRY_VOID(decode(complete, median_.values));
    kept_.push_back(std::move(complete));
    return CountedUpdate{};
  }
  void drop(std::string_view client) override { open_.drop(client); }
  Result<Aggregate> finish(const std::optional<SumOpening>&) override {
    assert(open_.empty() && !kept_.empty());
    std::vector<std::vector<float>> all;
    SumTotals totals;
    for (const auto& kept : kept_) {
      HANSA_TRY_VOID(decode(kept, all.emplace_back(median_.values.size())));
      totals.examples += kept.ticket.weight;
    }
    std::vector<float> column(all.size());
    for (std::size_t i = 0; i < median_.values.size(); ++i) {
      for (std::size_t k = 0; k < all.size(); ++k) column[k] = all[k][i];
      median_.values[i] = median_of(column);
    }
    return Aggregate{median_, std::move(totals)};
  }
  std::span<float> scratch() override { return {}; }
  void release() override { kept_.clear(); }

 private:
  struct Values final : Mean {
    explicit Values(std::size_t count) : values(count) {}
    std::size_t elements() const override { return values.size(); }
    void read(std::size_t first, std::span<double> out) const override {
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(first), out.size(), out.begin());
    }
    std::vector<float> values;
  };

  Result<void> decode(const internal::OpenUpdates::Open& update, std::span<float> out) {
    HANSA_TRY(const auto bytes, update.spool.whole(read_));
    const codecs::Seeds seeds = codecs::update_seeds(update.ticket.task_seed, setup_.cohort_seed);
    return decode_update({plan_.get(), seeds, setup_.bounds.magnitude_max}, bytes, unpacked_, out);
  }

  std::shared_ptr<const codecs::Plan> plan_;
  internal::OpenUpdates open_;
  PlainSetup setup_;
  std::vector<internal::OpenUpdates::Open> kept_;
  std::vector<std::byte> read_, unpacked_;
  Values median_;
};

}  // namespace hansa::server::testing
