// Updates that a codec plan encodes: each is decoded and verified when it is complete, and waits until several can be
// added to an exact sum in one pass (encoded_updates.h).
#pragma once
#include <memory>

#include "protocols/codecs/plan.h"
#include "server/aggregation/accumulator.h"
#include "server/aggregation/encoded_updates.h"
#include "server/aggregation/internal/open_updates.h"
#include "server/aggregation/update_form.h"

namespace hansa::server {

class EncodedForm final : public UpdateForm {
 public:
  // An update has the plan's values, of `vectors` vectors of equal size. The pools outlive the form.
  EncodedForm(std::shared_ptr<const codecs::Plan> plan, std::size_t vectors, WorkerPool& workers,
              SpoolPool& spools)
      : plan_(std::move(plan)), open_(spools), sum_(plan_->values(), workers), counted_(sum_, vectors) {}

  [[nodiscard]] Result<void> begin(const RoundSetup& setup) override;
  [[nodiscard]] UpdateSizes sizes() const override { return encoded_update_sizes(*plan_); }
  [[nodiscard]] Result<void> open(const UpdateTicket& ticket) override;
  [[nodiscard]] Result<void> append(std::string_view client, std::span<const std::byte> bytes) override {
    return open_.append(client, bytes);
  }
  [[nodiscard]] Result<CountedUpdate> count(std::string_view client) override;
  void drop(std::string_view client) override { open_.drop(client); }
  [[nodiscard]] Result<Aggregate> finish(const std::optional<SumOpening>& opening) override;
  [[nodiscard]] std::span<float> scratch() override { return sum_.scratch(); }
  void release() override { sum_.clear(); }

 private:
  std::shared_ptr<const codecs::Plan> plan_;
  internal::OpenUpdates open_;
  Accumulator sum_;
  EncodedUpdates counted_;  // some of them are not in the sum yet
  PlainSetup setup_;
};

}  // namespace hansa::server
