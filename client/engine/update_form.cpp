#include "client/engine/update_form.h"

#include "client/engine/internal/forms.h"
#include "common/kernels/fold.h"

namespace hansa::client {
namespace {

constexpr const char* codec_scope = "codec";
constexpr const char* residual_name = "residual";

Result<void> check_magnitude(const messages::TrainTask& task, std::span<const float> values) {
  if (kernels::first_outside(values, static_cast<float>(task.magnitude_max)) != values.size())
    return fail_outside(task);
  return {};
}

}  // namespace

std::unique_ptr<UpdateForm> form_of(const messages::TrainTask& task) {
  if (task.secure) return std::make_unique<WithheldForm>(task);
  if (task.compression) return std::make_unique<EncodedForm>(task);
  return std::make_unique<PlainForm>(task);
}

std::unique_ptr<UpdateForm> form_of(const MaskUpdate& mask) { return std::make_unique<MaskedForm>(mask); }

std::shared_ptr<std::vector<std::byte>> UpdateMemory::unused_bytes() {
  if (!bytes || bytes.use_count() > 1) bytes = std::make_shared<std::vector<std::byte>>();
  return bytes;
}

tl::unexpected<Error> fail_outside(const messages::TrainTask& task) {
  return fail(ErrorCode::data, "update",
              "holds a value that is not finite or above " + std::to_string(task.magnitude_max),
              "if training diverged, lower training.learning_rate; else scale the inputs, or raise "
              "limits.magnitude_max",
              {ReasonCode::diverged, {}});
}

Result<learning::KeptVector> residual_before(const UpdateParts& parts, const Digest& of, std::size_t values) {
  if (values == 0) return learning::KeptVector{};
  HANSA_TRY(const auto kept, parts.ledger.find(parts.staged.task, codec_scope));
  const auto found = kept.find(residual_name);
  if (found == kept.end() || found->second.of() != of || found->second.values().size() != values)
    return learning::KeptVector{};
  return found->second;
}

void stage_residual(const UpdateParts& parts, const Digest& of, std::vector<float> values) {
  const std::string name = std::string(codec_scope) + "/" + residual_name;
  parts.staged.vectors.erase(name);
  if (!values.empty()) parts.staged.vectors.emplace(name, learning::KeptVector(of, std::move(values)));
}

Result<OutgoingUpdate> PlainForm::prepare(const UpdateParts& parts) {
  const std::span<const float> update = parts.vectors->update;
  HANSA_TRY_VOID(check_magnitude(task_, update));
  return OutgoingUpdate{task_.task, checksum(update), {parts.vectors, std::as_bytes(update)}};
}

Result<OutgoingUpdate> WithheldForm::prepare(const UpdateParts& parts) {
  HANSA_TRY_VOID(check_magnitude(task_, parts.vectors->update));
  return OutgoingUpdate{task_.task, checksum(std::span<const float>(parts.vectors->update)), {}};
}

}  // namespace hansa::client
