// The fields of every message in the order of the wire. A change here is a new protocol version.
#pragma once
#include "protocols/messages/internal/bounded.h"

namespace hansa::messages::internal {

inline constexpr std::uint64_t blob_bytes_max = 1ULL << 40;

template <class A>
void fields(A& a, DataReport& m) {
  a(m.examples);
  a(m.new_examples);
  text(a, m.problem, text_bytes_max);
  text(a, m.notice, text_bytes_max);
}
template <class A>
void fields(A& a, Hello& m) {
  text(a, m.federation, name_bytes_max);
  a(m.instance);
  text(a, m.software, name_bytes_max);
  fields(a, m.data);
}
template <class A>
void fields(A& a, Welcome& m) {
  text(a, m.client, name_bytes_max);
  text(a, m.run, name_bytes_max);
  ranged(a, m.lease_ms, std::uint32_t{100}, std::uint32_t{3'600'000});
  ranged(a, m.chunk_bytes, std::uint32_t{4}, static_cast<std::uint32_t>(bulk_bytes_max));
}
template <class A>
void fields(A& a, Refuse& m) {
  enumeration(a, m.reason, RefuseReason::out_of_order);
  text(a, m.what, text_bytes_max);
  text(a, m.mend, text_bytes_max);
  a(m.retry_after_ms);
}
template <class A>
void fields(A& a, TrainTask& m) {
  identifier(a, m.task);
  identifier(a, m.round);
  digest(a, m.archive);
  ranged(a, m.archive_bytes, std::uint64_t{1}, blob_bytes_max);
  digest(a, m.model);
  ranged(a, m.model_bytes, std::uint64_t{0}, blob_bytes_max);
  digest(a, m.layout);
  ranged(a, m.training.epochs, std::uint32_t{1}, std::uint32_t{1'000});
  ranged(a, m.training.batch_size, std::uint32_t{1}, std::uint32_t{65'536});
  finite(a, m.training.learning_rate);
  finite(a, m.training.momentum);
  finite(a, m.training.weight_decay);
  a(m.training.steps_max);
  texts(a, m.training.personal, personal_max, name_bytes_max);
  a(m.seed);
  a(m.deadline_ms);
  finite(a, m.magnitude_max);
}
template <class A>
void fields(A& a, Cancel& m) {
  identifier(a, m.task);
  text(a, m.reason, text_bytes_max);
}
template <class A>
void fields(A& a, Decline& m) {
  identifier(a, m.task);
  text(a, m.reason, text_bytes_max);
}
template <class A>
void fields(A& a, Pull& m) {
  digest(a, m.blob);
  ranged(a, m.offset, std::uint64_t{0}, blob_bytes_max);
  ranged(a, m.chunks, std::uint32_t{1}, std::uint32_t{16});
}
template <class A>
void fields(A& a, BlobChunk& m) {
  digest(a, m.blob);
  ranged(a, m.offset, std::uint64_t{0}, blob_bytes_max);
}
template <class A>
void fields(A& a, Missing& m) {
  digest(a, m.blob);
}
template <class A>
void fields(A& a, Offer& m) {
  identifier(a, m.task);
  digest(a, m.update);
  ranged(a, m.bytes, std::uint64_t{0}, blob_bytes_max);
  a(m.examples);
  finite(a, m.train_seconds);
  metrics(a, m.metrics);
}
template <class A>
void fields(A& a, Grant& m) {
  identifier(a, m.task);
  ranged(a, m.offset, std::uint64_t{0}, blob_bytes_max);
  ranged(a, m.limit, std::uint64_t{0}, blob_bytes_max);
}
template <class A>
void fields(A& a, UpdateChunk& m) {
  identifier(a, m.task);
  ranged(a, m.offset, std::uint64_t{0}, blob_bytes_max);
}
template <class A>
void fields(A& a, Receipt& m) {
  identifier(a, m.task);
  enumeration(a, m.verdict, Verdict::late);
  text(a, m.reason, text_bytes_max);
}
template <class A>
void fields(A& a, Ping& m) {
  identifier(a, m.task);
}
template <class A>
void fields(A& a, Pong& m) {
  identifier(a, m.task);
}
template <class A>
void fields(A& a, Finished& m) {
  identifier(a, m.round);
  digest(a, m.model);
}
template <class A>
void fields(A& a, Bye& m) {
  text(a, m.reason, text_bytes_max);
}

}  // namespace hansa::messages::internal
