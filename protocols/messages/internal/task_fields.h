// The fields of a task in the order of the wire. A change here is a new protocol version.
#pragma once
#include "common/held_out_metrics.h"
#include "protocols/messages/internal/bounded.h"
#include "protocols/messages/task.h"

namespace hansa::messages::internal {

inline constexpr std::uint64_t blob_bytes_max = 1ULL << 40;

// The ranges are those of docs/protocol.md. secure_aggregation::check() checks whether the values are consistent.
template <class A>
void fields(A& a, SecureTask& m) {
  a(m.seed);
  a(m.attempt);
  digest(a, m.nonce);
  ranged(a, m.clients, secure_aggregation::clients_min, secure_aggregation::clients_max);
  ranged(a, m.quantisation.levels, secure_aggregation::levels_min, secure_aggregation::levels_max);
  ranged(a, m.quantisation.ring_bits, std::uint32_t{2}, std::uint32_t{32});
  finite(a, m.quantisation.clip);
  finite(a, m.quantisation.weight_unit);
  flag(a, m.quantisation.rotated);
  finite(a, m.quantisation.fraction);
  list(a, m.segments, secure_aggregation::segments_max, [&a](secure_aggregation::Segment& segment) {
    ranged(a, segment.values, std::uint64_t{0}, blob_bytes_max / sizeof(float));
    finite(a, segment.scale);
    enumeration(a, segment.kind, secure_aggregation::last_segment_kind);
  });
  texts(a, m.metrics, sum_metrics_max, name_bytes_max);
  enumeration(a, m.assumptions.threat_model, secure_aggregation::ThreatModel::active);
  finite(a, m.assumptions.corrupt);
  finite(a, m.assumptions.dropout);
  ranged(a, m.assumptions.security_bits, 1U, 80U);
  ranged(a, m.assumptions.correctness_bits, 1U, 80U);
  a(m.certificate_epoch);
}
template <class A>
void segments(A& a, std::vector<codecs::Segment>& value) {
  list(a, value, codecs::segments_max, [&a](codecs::Segment& segment) {
    ranged(a, segment.values, std::uint64_t{1}, blob_bytes_max / sizeof(float));
    enumeration(a, segment.spec.kind, codecs::last_kind);
    ranged(a, segment.spec.bits, std::uint8_t{0}, std::uint8_t{8});
    finite(a, segment.spec.fraction);
    ranged(a, segment.spec.rank, std::uint32_t{0}, codecs::rank_max);
    a(segment.rows);
  });
}
template <class A>
void fields(A& a, Compression& m) {
  flag(a, m.entropy);
  a(m.cohort_seed);
}
template <class A>
void fields(A& a, ModelDeltas& m) {
  segments(a, m.segments);
  list_of_some(a, m.deltas, deltas_max, [&a](ModelDelta& delta) {
    digest(a, delta.base);
    digest(a, delta.blob);
    ranged(a, delta.bytes, std::uint64_t{1}, blob_bytes_max);
  });
}
template <class A>
void fields(A& a, TaskInput& m) {
  exact_text(a, m.name, name_bytes_max);
  digest(a, m.vector);
  ranged(a, m.bytes, std::uint64_t{0}, blob_bytes_max);
  octets(a, m.check.bytes);
  optional(a, m.deltas, [&a](ModelDeltas& deltas) { fields(a, deltas); });
  optional(a, m.values, [&a](Digest& values) { digest(a, values); });
}
template <class A>
void fields(A& a, TaskOutput& m) {
  exact_text(a, m.name, name_bytes_max);
  ranged(a, m.values, std::uint64_t{1}, blob_bytes_max / sizeof(float));
  segments(a, m.segments);
}
template <class A>
void fields(A& a, Option& m) {
  exact_text(a, m.name, name_bytes_max);
  alternative(a, m.value);
  struct Value {
    A& a;
    void operator()(std::int64_t& value) const { a(value); }
    void operator()(double& value) const { finite(a, value); }
    void operator()(std::string& value) const { exact_text(a, value, text_bytes_max); }
    void operator()(std::vector<std::string>& value) const {
      texts(a, value, option_texts_max, name_bytes_max);
    }
  };
  std::visit(Value{a}, m.value);
}
template <class A>
void fields(A& a, Method& m) {
  exact_text(a, m.name, name_bytes_max);
  list(a, m.options, options_max, [&a](Option& option) { fields(a, option); });
}
template <class A>
void fields(A& a, secure_aggregation::ModelApproval& m) {
  exact_text(a, m.name, secure_aggregation::model_name_bytes_max);
  exact_text(a, m.version, secure_aggregation::model_version_bytes_max);
  texts(a, m.metrics, secure_aggregation::model_metrics_max, own_metric_bytes_max);
  octets(a, m.signature);
}
template <class A>
void fields(A& a, HoldOut& m) {
  finite(a, m.fraction);
  enumeration(a, m.measure, Measure::yes);
}
template <class A>
void fields(A& a, TrainTask& m) {
  identifier(a, m.task);
  identifier(a, m.round);
  digest(a, m.archive);
  ranged(a, m.archive_bytes, std::uint64_t{1}, blob_bytes_max);
  digest(a, m.layout);
  optional(a, m.approval, [&a](secure_aggregation::ModelApproval& approval) { fields(a, approval); });
  list_of_some(a, m.inputs, inputs_max, [&a](TaskInput& input) { fields(a, input); });
  fields(a, m.method);
  list_of_some(a, m.outputs, outputs_max, [&a](TaskOutput& output) { fields(a, output); });
  a(m.seed);
  a(m.deadline_ms);
  finite(a, m.magnitude_max);
  optional(a, m.hold_out, [&a](HoldOut& hold_out) { fields(a, hold_out); });
  optional(a, m.compression, [&a](Compression& compression) { fields(a, compression); });
  optional(a, m.secure, [&a](SecureTask& secure) { fields(a, secure); });
}

}  // namespace hansa::messages::internal
