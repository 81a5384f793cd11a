// Masked updates of a secure sum: each is added to a sum on the ring when it is complete, and only the sum of all
// survivors is ever unmasked (protocols/secure_aggregation/masked_sum.h).
#pragma once
#include <optional>
#include <vector>

#include "protocols/secure_aggregation/masked_sum.h"
#include "server/aggregation/internal/open_updates.h"
#include "server/aggregation/update_form.h"
#include "server/aggregation/worker_pool.h"

namespace hansa::server {

class MaskedForm final : public UpdateForm {
 public:
  // elements: the number of values of the mean. value_bits: the bits of a rounded value in the rounds after the first.
  // The pools outlive the form.
  MaskedForm(std::size_t elements, unsigned value_bits, WorkerPool& workers, SpoolPool& spools)
      : workers_(workers), value_bits_(value_bits), open_(spools), mean_(elements) {}

  [[nodiscard]] Result<void> begin(const RoundSetup& setup) override;
  [[nodiscard]] UpdateSizes sizes() const override {
    return masked_update_sizes(setup_.elements, setup_.ring_bits);
  }
  [[nodiscard]] Result<void> open(const UpdateTicket& ticket) override { return open_.open(ticket); }
  [[nodiscard]] Result<void> append(std::string_view client, std::span<const std::byte> bytes) override {
    return open_.append(client, bytes);
  }
  [[nodiscard]] Result<CountedUpdate> count(std::string_view client) override;
  void drop(std::string_view client) override { open_.drop(client); }
  // Fails (internal) if the survivors are not exactly the counted clients, or (protocol) if the unmasked vector is not
  // a sum of updates, or is beyond the opening's bounds.
  [[nodiscard]] Result<Aggregate> finish(const std::optional<SumOpening>& opening) override;
  [[nodiscard]] std::span<float> scratch() override { return mean_.values; }
  void release() override {}

 private:
  struct Values final : Mean {
    explicit Values(std::size_t elements) : count(elements) {}
    [[nodiscard]] std::size_t elements() const override { return count; }
    void read(std::size_t first, std::span<double> out) const override;
    std::size_t count;
    std::vector<float> values;
  };

  WorkerPool& workers_;
  unsigned value_bits_;
  internal::OpenUpdates open_;
  MaskedSetup setup_;
  std::optional<secure_aggregation::MaskedSum> sum_;
  std::vector<std::byte> packed_;  // the bytes of an update whose spool is a file
  Values mean_;
};

}  // namespace hansa::server
