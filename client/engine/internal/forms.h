// The implementations of UpdateForm, and their common functions.
#pragma once
#include <cstddef>
#include <vector>

#include "client/engine/update_form.h"

namespace hansa::client {

// The trained values as float32.
class PlainForm final : public UpdateForm {
 public:
  explicit PlainForm(const messages::TrainTask& task) : task_(task) {}
  [[nodiscard]] Result<OutgoingUpdate> prepare(const UpdateParts& parts) override;

 private:
  const messages::TrainTask& task_;
};

// Encoded by the task's codecs.
class EncodedForm final : public UpdateForm {
 public:
  explicit EncodedForm(const messages::TrainTask& task) : task_(task) {}
  [[nodiscard]] Result<OutgoingUpdate> prepare(const UpdateParts& parts) override;

 private:
  const messages::TrainTask& task_;
};

// An update for a secure sum, before its masks are known: checked, and not to be sent.
class WithheldForm final : public UpdateForm {
 public:
  explicit WithheldForm(const messages::TrainTask& task) : task_(task) {}
  [[nodiscard]] Result<OutgoingUpdate> prepare(const UpdateParts& parts) override;

 private:
  const messages::TrainTask& task_;
};

// Rounded to ring elements, masked and packed.
class MaskedForm final : public UpdateForm {
 public:
  explicit MaskedForm(const MaskUpdate& mask) : mask_(mask) {}
  [[nodiscard]] Result<OutgoingUpdate> prepare(const UpdateParts& parts) override;

 private:
  const MaskUpdate& mask_;
};

[[nodiscard]] tl::unexpected<Error> fail_outside(const messages::TrainTask& task);

// The residual of earlier updates (error feedback: Seide et al. 2014), as it was before the task. Empty if there is
// none for `of`, which names the model and the codecs.
[[nodiscard]] Result<learning::KeptVector> residual_before(const UpdateParts& parts, const Digest& of,
                                                           std::size_t values);
// Stages the residual after this update; empty: there is none.
void stage_residual(const UpdateParts& parts, const Digest& of, std::vector<float> values);

}  // namespace hansa::client
