#include <string>

#include "client/engine/internal/forms.h"
#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"

namespace hansa::client {
namespace {

Digest name_of_grid(const secure_aggregation::SumSetup& setup) {
  std::string text =
      std::to_string(setup.quantisation.fraction) + (setup.quantisation.rotated ? " rotated" : "");
  for (const auto& segment : setup.segments) text += " " + std::to_string(segment.values);
  return sha256(std::string_view(text));
}

}  // namespace

Result<OutgoingUpdate> MaskedForm::prepare(const UpdateParts& parts) {
  namespace sa = secure_aggregation;
  const unsigned bits = mask_.setup.quantisation.ring_bits;
  std::span<const float> values = parts.vectors->update;
  const Digest of = name_of_grid(mask_.setup);
  std::vector<float> residual;
  if (mask_.setup.quantisation.fraction < 1) {
    HANSA_TRY(const learning::KeptVector kept, residual_before(parts, of, values.size()));
    const std::vector<float>& before = kept.values();
    std::vector<float>& corrected = parts.memory.corrected;
    corrected.assign(values.begin(), values.end());
    for (std::size_t i = 0; i < before.size(); ++i) corrected[i] += before[i];
    values = corrected;
    residual.resize(values.size());
    sa::left_out(values, mask_.setup, residual);
  }
  std::vector<std::uint32_t>& elements = parts.memory.ring_elements;
  elements.resize(sa::vector_elements(mask_.setup));
  HANSA_TRY_VOID(
      sa::quantise(values, mask_.examples, mask_.metrics, mask_.setup, mask_.rounding_seed, elements));
  HANSA_TRY_VOID(sa::apply_masks(elements, mask_.terms, bits));
  const auto packed = parts.memory.unused_bytes();
  packed->resize(sa::packed_bytes(elements.size(), bits));
  sa::pack(elements, bits, *packed);
  stage_residual(parts, of, std::move(residual));
  const std::span<const std::byte> view(*packed);
  return OutgoingUpdate{mask_.task, checksum(view), {packed, view}, true};
}

}  // namespace hansa::client
