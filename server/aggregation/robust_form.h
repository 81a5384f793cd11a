// Updates that are kept until the end of a round, because their rule needs all of them: each is decoded and verified when
// it is complete, and becomes a row of float32 values (kept_updates.h).
//
// Memory: that of the kept updates, and two vectors as long as an update.
#pragma once
#include <memory>
#include <vector>

#include "protocols/codecs/plan.h"
#include "server/aggregation/internal/open_updates.h"
#include "server/aggregation/kept_updates.h"
#include "server/aggregation/robust/robust_rule.h"
#include "server/aggregation/update_form.h"

namespace hansa::server {

class RobustForm final : public UpdateForm {
 public:
  struct Encoding {
    std::size_t elements = 0;  // of an update
    std::shared_ptr<const codecs::Plan> plan;  // null: float32
  };
  // The pools outlive the form.
  RobustForm(Encoding encoding, std::unique_ptr<RobustRule> rule, std::uint64_t memory_bytes_max,
             WorkerPool& workers, SpoolPool& spools);

  [[nodiscard]] Result<void> begin(const RoundSetup& setup) override;
  [[nodiscard]] UpdateSizes sizes() const override;
  [[nodiscard]] Result<void> open(const UpdateTicket& ticket) override { return open_.open(ticket); }
  [[nodiscard]] Result<void> append(std::string_view client, std::span<const std::byte> bytes) override {
    return open_.append(client, bytes);
  }
  [[nodiscard]] Result<CountedUpdate> count(std::string_view client) override;
  void drop(std::string_view client) override { open_.drop(client); }
  // Fails (quorum) if there are fewer updates than the rule needs.
  [[nodiscard]] Result<Aggregate> finish(const std::optional<SumOpening>& opening) override;
  [[nodiscard]] std::span<float> scratch() override { return {}; }
  void release() override { kept_.clear(); }
  [[nodiscard]] bool needs_previous() const override { return rule_->is_recursive(); }
  void set_previous(std::span<const float> values) override;

 private:
  class Estimate final : public Mean {
   public:
    explicit Estimate(std::size_t count) : values(count) {}
    [[nodiscard]] std::size_t elements() const override { return values.size(); }
    void read(std::size_t first, std::span<double> out) const override;
    std::vector<float> values;
  };

  Encoding encoding_;
  std::unique_ptr<RobustRule> rule_;
  WorkerPool& workers_;
  internal::OpenUpdates open_;
  KeptUpdates kept_;
  PlainSetup setup_;
  std::vector<std::byte> read_, unpacked_;
  Estimate estimate_;
};

}  // namespace hansa::server
