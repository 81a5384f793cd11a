// The fields of every message in the order of the wire. A change here is a new protocol version.
#pragma once
#include "protocols/messages/internal/bounded.h"
#include "protocols/messages/internal/task_fields.h"
#include "protocols/messages/messages.h"

namespace hansa::messages::internal {

inline constexpr std::size_t subset_bytes_max = (secure_aggregation::clients_max + 7) / 8;
// The shares of all neighbours, and the client's own.
inline constexpr std::size_t shares_max = secure_aggregation::neighbours_max + 1;

template <class A>
void report(A& a, Report& value) {
  enumeration(a, value.reason.code, last_reason_code);
  list(a, value.reason.numbers, reason_numbers_max, [&a](ReasonNumber& number) {
    enumeration(a, number.quantity, last_quantity);
    a(number.value);
  });
  text(a, value.details, text_bytes_max);
}
template <class A>
void fields(A& a, DataReport& m) {
  a(m.examples);
  a(m.new_examples);
  report(a, m.problem);
  list(a, m.notices, reports_max, [&a](Report& notice) { report(a, notice); });
  a(m.schema);
}
template <class A>
void fields(A& a, Hello& m) {
  text(a, m.federation, name_bytes_max);
  a(m.instance);
  text(a, m.software, name_bytes_max);
  fields(a, m.data);
}
template <class A>
void contract(A& a, DataContract& value) {
  const auto name = [&a](std::string& one) { exact_text(a, one, contract_text_bytes_max); };
  list(a, value.columns, contract_columns_max, name);
  list(a, value.units, contract_columns_max, name);
  name(value.label);
  optional(a, value.target, [&a](TargetType& target) { enumeration(a, target, TargetType::none); });
  list(a, value.classes, contract_classes_max, name);
  optional(a, value.dtype, [&a](ElementType& type) { enumeration(a, type, ElementType::boolean); });
  list(a, value.shape, contract_rank_max,
       [&a](std::int64_t& size) { ranged(a, size, std::int64_t{1}, contract_size_max); });
  list(a, value.inputs, contract_inputs_max, name);
  for (std::vector<double>* bounds : {&value.minimum, &value.maximum})
    list(a, *bounds, contract_columns_max, [&a](double& bound) { finite(a, bound); });
}
template <class A>
void fields(A& a, Welcome& m) {
  text(a, m.client, name_bytes_max);
  text(a, m.run, name_bytes_max);
  ranged(a, m.lease_ms, std::uint32_t{100}, std::uint32_t{3'600'000});
  ranged(a, m.chunk_bytes, std::uint32_t{4}, static_cast<std::uint32_t>(bulk_bytes_max));
  optional(a, m.contract, [&a](DataContract& value) { contract(a, value); });
}
template <class A>
void fields(A& a, Refuse& m) {
  enumeration(a, m.reason, RefuseReason::out_of_order);
  text(a, m.what, text_bytes_max);
  text(a, m.hint, text_bytes_max);
  a(m.retry_after_ms);
}
template <class A>
void fields(A& a, Cancel& m) {
  identifier(a, m.task);
  text(a, m.reason, text_bytes_max);
}
template <class A>
void fields(A& a, Decline& m) {
  identifier(a, m.task);
  report(a, m.report);
}
template <class A>
void fields(A& a, Pull& m) {
  digest(a, m.blob);
  ranged(a, m.offset, std::uint64_t{0}, blob_bytes_max);
  ranged(a, m.bytes, std::uint32_t{1}, pull_bytes_max);
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
  octets(a, m.update.bytes);
  ranged(a, m.bytes, std::uint64_t{0}, blob_bytes_max);
  a(m.examples);
  finite(a, m.train_seconds);
  metrics(a, m.metrics);
  digest(a, m.setup);
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
  enumeration(a, m.verdict, Verdict::summed);
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

// The first fields of every message of a secure sum.
template <class A, class M>
void sum_of(A& a, M& m) {
  identifier(a, m.task);
  digest(a, m.setup);
}
template <class A>
void bits(A& a, std::vector<std::uint8_t>& value) {
  list(a, value, subset_bytes_max, [&a](std::uint8_t& byte) { a(byte); });
}
template <class A>
void fields(A& a, KeyAdvert& m) {
  sum_of(a, m);
  octets(a, m.advert.share_key);
  octets(a, m.advert.mask_key);
  digest(a, m.advert.self_seed_commitment);
  octets(a, m.advert.nonce);
  octets(a, m.advert.signature);
}
template <class A>
void fields(A& a, KeyRoster& m) {
  sum_of(a, m);
}
template <class A>
void fields(A& a, EncryptedShares& m) {
  sum_of(a, m);
  list(a, m.shares, shares_max, [&a](auto& shares) { octets(a, shares); });
}
template <class A>
void fields(A& a, ShareDelivery& m) {
  sum_of(a, m);
  bits(a, m.sharers);
  list(a, m.shares, shares_max, [&a](auto& shares) { octets(a, shares); });
}
template <class A>
void fields(A& a, SurvivorSet& m) {
  sum_of(a, m);
  bits(a, m.survivors);
}
template <class A>
void fields(A& a, SurvivorSignature& m) {
  sum_of(a, m);
  octets(a, m.signature);
}
template <class A>
void fields(A& a, UnmaskRequest& m) {
  sum_of(a, m);
  bits(a, m.survivors);
  list(a, m.signatures, shares_max, [&a](secure_aggregation::SignedBy& by) {
    a(by.client);
    octets(a, by.signature);
  });
}
template <class A>
void fields(A& a, UnmaskShares& m) {
  sum_of(a, m);
  list(a, m.shares, shares_max, [&a](auto& share) { octets(a, share); });
}

}  // namespace hansa::messages::internal
