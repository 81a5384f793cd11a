// The form of a round's updates: how they arrive, which of them count, and what their mean is.
//
//   begin (open append* count? drop)* finish release
//
// Implementations: float32 values (float32_form.h), encoded ones (encoded_form.h) and masked ones (masked_form.h).
// make_update_form.h chooses. Calls come for each chunk of an update, never for each value.
//
// How further forms fit:
//   - A form that keeps every update until the end (a median, a trimmed mean) keeps the spools that it counted, by
//     index, and reads them in finish() with decode_update() (decode_update.h), whichever codec they came in. Its
//     memory is that of the spools, of which the pool moves to files what does not fit, and of the decoded updates that
//     the rule needs at the same time. What it returns as the mean is its own estimate: nobody asks how it was made.
//   - A form without a cohort (buffered asynchronous aggregation) begins once, with bounds for one buffer, and gives
//     each update an index of its own, which need not be below the cohort's size. count() is called as updates
//     complete; finish() closes one buffer, and the next begin() opens another. An update that began in an earlier
//     buffer stays open over begin() there, as only drop() ends it; its age comes with the ticket's weight.
//
// One thread at a time calls a form; it may be another one for finish(), the mean, scratch() and release() than for the
// rest, and no other call comes between them.
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

// What is known of all counted clients together.
struct SumTotals {
  std::uint64_t examples = 0;
  Metrics metrics;  // where no client's own are seen; else empty
  // Of the next secure sum, for unscaled weights; 0 and none: not known.
  double next_clip = 0;
  std::vector<double> next_scales;
};

struct Aggregate {
  const Mean& mean;  // the form's: valid until release(), scratch() or the next begin()
  SumTotals totals;
};

class UpdateForm {
 public:
  virtual ~UpdateForm() = default;

  // Starts a sum; what is open or was counted before is forgotten. Fails (usage) when the setup's bounds are out of
  // range, or (resource) when there is no memory for the sum.
  [[nodiscard]] virtual Result<void> begin(const RoundSetup& setup) = 0;
  // Of an update of the round that has begun.
  [[nodiscard]] virtual UpdateSizes sizes() const = 0;

  // The client has no open update; ticket.bytes is within sizes(). Fails (storage).
  [[nodiscard]] virtual Result<void> open(const UpdateTicket& ticket) = 0;
  // The next bytes of an open update, within its ticket.bytes. Fails (storage).
  [[nodiscard]] virtual Result<void> append(std::string_view client, std::span<const std::byte> bytes) = 0;
  // Verifies a complete update and counts it; in either case it is no longer open. Any failure but (storage) rejects
  // the update, of which nothing is in the mean then. After (storage) the sum is of no more use.
  [[nodiscard]] virtual Result<void> count(std::string_view client) = 0;
  // Forgets an open update, of which nothing is in the mean then. Nothing happens if the client has none.
  virtual void drop(std::string_view client) = 0;

  // At least one update was counted and none is open. Fails (storage), which ends the run; or with another code when
  // the sum cannot be opened, which ends the attempt.
  [[nodiscard]] virtual Result<Aggregate> finish(const std::optional<SumOpening>& opening) = 0;
  // Memory for the model's number of floats that the sum does not need any more; empty if the form has none. The mean
  // is gone then.
  [[nodiscard]] virtual std::span<float> scratch() = 0;
  // The mean is no longer needed: gives memory back, or clears it while there is time. scratch() is void then.
  virtual void release() = 0;
};

}  // namespace hansa::server
