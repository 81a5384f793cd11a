#include "client/keys/accepted_keys.h"

#include "common/files.h"
#include "protocols/enrolment/device_file.h"

namespace hansa::client {
namespace {

// Clocks differ, and the aggregator switches between two rounds.
constexpr std::uint64_t clock_tolerance_s = 24 * 3'600;
constexpr std::size_t file_bytes_max = enrolment::statements_bytes_max + 1'024;

// Takes the line "NAME KEY" from the start of the text. Empty: it starts otherwise.
std::optional<transport::PublicKey> take_key(std::string_view& text, std::string_view name) {
  const std::string start = std::string(name) + " ";
  const std::size_t end = text.find('\n');
  if (!text.starts_with(start) || end == std::string_view::npos) return std::nullopt;
  const auto key = transport::parse_public_key(text.substr(start.size(), end - start.size()), "");
  text.remove_prefix(end + 1);
  if (!key) return std::nullopt;
  return *key;
}

}  // namespace

std::string text_of_accepted(const enrolment::KeyStatements& statements) {
  std::string out = "accepted what the root key states:";
  if (!statements.roots.empty())
    out += " the root key " + enrolment::text_of(statements.roots.back().next) +
           " follows, and the former one holds until " + date_text(statements.roots.back().until);
  if (statements.aggregator)
    out += std::string(statements.roots.empty() ? "" : ";") + " the aggregator has the key " +
           statements.aggregator->key.text() + " from " + rfc3339_text(statements.aggregator->from);
  return out;
}

std::filesystem::path AcceptedKeys::file_of(const ClientConfig& config) {
  return config.state / "accepted_keys";
}

std::optional<secure_aggregation::IdentityKey> AcceptedKeys::pinned_root(const ClientConfig& config) {
  if (config.secure_aggregation) return config.secure_aggregation->root;
  return config.model.root;
}

Result<AcceptedKeys> AcceptedKeys::open(const ClientConfig& config) {
  AcceptedKeys out;
  out.file_ = file_of(config);
  out.federation_ = config.federation;
  out.pinned_ = config.aggregator_key;
  out.present_ = config.aggregator_key;
  out.pinned_root_ = pinned_root(config);
  std::error_code error;
  if (!std::filesystem::exists(out.file_, error) || !out.pinned_root_) return out;
  HANSA_TRY(const std::string text, read_text_file(out.file_, file_bytes_max));
  std::string_view rest = text;
  // It was checked with the time when it was accepted: what has ended since does not make it damaged.
  constexpr UtcSeconds when_accepted{};
  const auto pinned = take_key(rest, "pinned");
  const auto present = take_key(rest, "present");
  auto statements = enrolment::parse_statements(rest, out.file_.string());
  if (!pinned || !present || !statements ||
      !enrolment::check_statements(*statements, out.federation_, *out.pinned_root_, when_accepted))
    return fail(ErrorCode::storage, out.file_.string(),
                "is damaged, or was accepted with another root key than client.toml has",
                "remove it, and accept the operator's file again: hansa-client accept");
  // Whoever wrote another key into client.toml since then means that one.
  if (*pinned == out.pinned_) out.present_ = *present;
  out.statements_ = std::move(*statements);
  return out;
}

Result<void> AcceptedKeys::store() const {
  HANSA_TRY_VOID(make_folders(file_.parent_path()));
  return write_file_atomically(
      file_,
      "pinned " + pinned_.text() + "\npresent " + present_.text() + "\n" + enrolment::text_of(*statements_),
      FileAccess::owner_only);
}

Result<Acceptance> AcceptedKeys::accept(const enrolment::KeyStatements& statements, UtcSeconds now) {
  if (!pinned_root_)
    return fail(ErrorCode::usage, "client.toml", "has no root key, which signs the statements about keys",
                "set secure_aggregation.root or model.root: the operator knows it");
  HANSA_TRY_VOID(enrolment::check_statements(statements, federation_, *pinned_root_, now));
  if (statements_) {
    HANSA_TRY_VOID(enrolment::check_continues(statements, *statements_));
    if (statements == *statements_) return Acceptance::nothing_new;
  }
  statements_ = statements;
  HANSA_TRY_VOID(store());
  return Acceptance::accepted;
}

std::vector<transport::PublicKey> AcceptedKeys::aggregator_keys(UtcSeconds now) const {
  if (!statements_ || !statements_->aggregator || statements_->aggregator->key == present_) return {present_};
  const enrolment::AggregatorStatement& next = *statements_->aggregator;
  if (now < next.from) return {present_, next.key};
  if (now.value < next.from.value + clock_tolerance_s) return {next.key, present_};
  return {next.key};
}

Result<void> AcceptedKeys::connected(const transport::PublicKey& key) {
  if (key == present_ || !statements_) return {};
  present_ = key;
  return store();
}

std::optional<enrolment::TrustedRoots> AcceptedKeys::roots(UtcSeconds now) const {
  if (!pinned_root_) return std::nullopt;
  if (statements_)
    if (const auto found = enrolment::follow_roots(*statements_, *pinned_root_, now)) return *found;
  return enrolment::TrustedRoots{*pinned_root_};
}

}  // namespace hansa::client
