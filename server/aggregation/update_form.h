// The form of a round's updates: how they arrive, which of them count, and what their mean is.
//
//   begin (open append* count? drop)* finish release
//
// Implementations: the exact mean of float32 values (float32_form.h), of encoded ones (encoded_form.h) and of masked ones
// (masked_form.h), rules that keep all updates until the end (robust_form.h), a buffer without a cohort
// (buffered_form.h), and masked updates of several groups at the same time (masked_groups_form.h). make_update_form.h chooses one. There is a call for each chunk of an update, never for each value.
//
// A form without a cohort (buffered_form.h) sums the updates of one buffer after the other. Its begin() does not close
// updates; only count() and drop() do. amend() comes before count(), because the weight of an update depends on its age.
//
// One thread at a time calls a form. finish(), reading the mean, scratch() and release() may be called on another
// thread than the other functions; no other call comes between them. The exceptions: buffered_form.h and
// masked_groups_form.h.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/training.h"
#include "server/aggregation/mean.h"
#include "server/aggregation/update_setup.h"

namespace hansa::server {

// Totals over all counted clients.
struct SumTotals {
  std::uint64_t examples = 0;
  Metrics metrics;  // only if single clients' metrics are not known; otherwise empty
  // The clip and the scales of the next secure sum, for unweighted values; 0 and empty: not known.
  double next_clip = 0;
  std::vector<double> next_scales;
};

// What is known about an update that was counted.
struct CountedUpdate {
  // Euclidean, of each of its vectors: the delta, and those that the method exchanges. Empty for a masked update, whose values
  // are not known.
  std::vector<double> norms;
};

struct Aggregate {
  const Mean& mean;  // owned by the form; valid until release(), scratch() or begin()
  SumTotals totals;
};

class UpdateForm {
 public:
  virtual ~UpdateForm() = default;

  // Starts a sum, and discards all open and counted updates. Fails (usage) if the setup's bounds are out of range, or
  // (resource) if there is no memory for the sum.
  [[nodiscard]] virtual Result<void> begin(const RoundSetup& setup) = 0;
  // The allowed sizes of an update in the current round.
  [[nodiscard]] virtual UpdateSizes sizes() const = 0;

  // Opens an update. The client has no open update, and ticket.bytes is within sizes(). Fails (storage).
  [[nodiscard]] virtual Result<void> open(const UpdateTicket& ticket) = 0;
  // Appends the next bytes of an open update, within its ticket.bytes. Fails (storage).
  [[nodiscard]] virtual Result<void> append(std::string_view client, std::span<const std::byte> bytes) = 0;
  // The terms of an open update, before count(): only for a form of buffers. Other forms know all from the ticket.
  virtual void amend(std::string_view /*client*/, const CountTerms& /*terms*/) {}
  // Verifies a complete update and counts it. Closes the update in any case. A failure other than (storage) rejects the
  // update; nothing of it is in the mean then. After (storage) the sum is unusable.
  [[nodiscard]] virtual Result<CountedUpdate> count(std::string_view client) = 0;
  // Discards an open update; nothing of it is in the mean then. Has no effect if the client has no open update.
  virtual void drop(std::string_view client) = 0;

  // Ends a sum that will not be opened, and frees its memory: only for a form of several sums.
  virtual void drop_sum(SumNumber /*sum*/) {}

  // Requires at least one counted update and no open one. A (storage) failure ends the run. Any other failure means
  // that the sum cannot be opened, and ends the attempt.
  [[nodiscard]] virtual Result<Aggregate> finish(const std::optional<SumOpening>& opening) = 0;
  // Whether finish() begins at the aggregate of the round before, which set_previous() gives before it.
  [[nodiscard]] virtual bool needs_previous() const { return false; }
  virtual void set_previous(std::span<const float> /*values*/) {}
  // Memory for as many floats as the model has, which the sum no longer needs; empty if the form has none. Destroys the
  // mean.
  [[nodiscard]] virtual std::span<float> scratch() = 0;
  // Called when the mean is no longer needed: frees its memory, or clears it ahead of time. Invalidates scratch().
  virtual void release() = 0;
};

}  // namespace hansa::server
