#include <string>

#include "client/engine/internal/forms.h"
#include "protocols/codecs/encoder.h"

namespace hansa::client {
namespace {

// Names the layout and the codecs to which a residual belongs.
Digest name_of_codecs(const messages::TrainTask& task) {
  std::string text = task.layout.text();
  for (const codecs::Segment& segment : messages::update_segments(task))
    text += "\n" + std::to_string(segment.values) + " " + codecs::text_of(segment.spec) + " " +
            std::to_string(segment.rows);
  return sha256(std::string_view(text));
}

}  // namespace

Result<OutgoingUpdate> EncodedForm::prepare(const UpdateParts& parts) {
  HANSA_TRY(const codecs::Plan plan, codecs::Plan::create(messages::update_segments(task_)));
  const Digest of = name_of_codecs(task_);
  HANSA_TRY(const learning::KeptVector before, residual_before(parts, of, plan.state_values()));
  std::vector<float> residual(plan.state_values());
  const auto bytes = parts.memory.unused_bytes();
  const bool within = codecs::Encoder(plan).encode(
      parts.vectors->update, before.values(), residual, messages::update_seeds(task_),
      static_cast<float>(task_.magnitude_max),
      task_.compression->entropy ? codecs::Entropy::if_smaller : codecs::Entropy::never, *bytes);
  if (!within) return fail_outside(task_);
  stage_residual(parts, of, std::move(residual));
  const std::span<const std::byte> view(*bytes);
  return OutgoingUpdate{task_.task, checksum(view), {bytes, view}};
}

}  // namespace hansa::client
