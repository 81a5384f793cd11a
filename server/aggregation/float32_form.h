// Updates of float32 values, each added to an exact sum while it arrives (arriving_update.h).
#pragma once
#include <map>
#include <string>

#include "server/aggregation/accumulator.h"
#include "server/aggregation/arriving_update.h"
#include "server/aggregation/update_form.h"

namespace hansa::server {

class Float32Form final : public UpdateForm {
 public:
  // elements: the number of values of an update, which has `vectors` vectors of equal size. The pools outlive the form.
  Float32Form(std::size_t elements, std::size_t vectors, WorkerPool& workers, SpoolPool& spools)
      : spools_(spools), vectors_(vectors), sum_(elements, workers) {}

  [[nodiscard]] Result<void> begin(const RoundSetup& setup) override;
  [[nodiscard]] UpdateSizes sizes() const override { return float32_update_sizes(sum_.elements()); }
  [[nodiscard]] Result<void> open(const UpdateTicket& ticket) override;
  [[nodiscard]] Result<void> append(std::string_view client, std::span<const std::byte> bytes) override;
  [[nodiscard]] Result<CountedUpdate> count(std::string_view client) override;
  void drop(std::string_view client) override;
  [[nodiscard]] Result<Aggregate> finish(const std::optional<SumOpening>& opening) override;
  [[nodiscard]] std::span<float> scratch() override { return sum_.scratch(); }
  void release() override { sum_.clear(); }

 private:
  struct Open {
    Open(const UpdateTicket& t, Spool spool, Accumulator& sum, std::size_t vectors)
        : ticket(t), update(std::move(spool), sum, t.weight, vectors) {}
    UpdateTicket ticket;
    ArrivingUpdate update;
  };

  SpoolPool& spools_;
  std::size_t vectors_;
  Accumulator sum_;
  std::map<std::string, Open, std::less<>> open_;  // by client
};

}  // namespace hansa::server
