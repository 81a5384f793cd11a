#include "protocols/enrolment/key_statements.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "common/config/name_check.h"
#include "common/files.h"
#include "common/hex.h"
#include "common/text.h"
#include "common/transcript.h"

namespace hansa::enrolment {
namespace {

using secure_aggregation::IdentityKey;
using secure_aggregation::SigningKey;

constexpr std::array frame_header{std::byte{'H'}, std::byte{'K'}, std::byte{1}, std::byte{1}};

std::string signed_text(const AggregatorStatement& s, std::string_view federation) {
  return std::string(Transcript("hansa aggregator statement 1")
                         .text(federation)
                         .text(s.key.text())
                         .number(s.issued.value, 8)
                         .number(s.from.value, 8)
                         .view());
}

std::string signed_text(const RootStatement& s, std::string_view federation) {
  return std::string(Transcript("hansa root statement 1")
                         .text(federation)
                         .bytes(s.former)
                         .bytes(s.next)
                         .number(s.issued.value, 8)
                         .number(s.until.value, 8)
                         .view());
}

tl::unexpected<Error> refuse(std::string what, std::string hint = {}) {
  return fail(ErrorCode::refused, "the statement about keys", std::move(what), std::move(hint));
}

// The words of a line, which are separated by single spaces. A missing word, one of another form and a word too many are
// failures.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}

  std::string_view text() {
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view out = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    failed_ = failed_ || out.empty();
    return out;
  }
  template <std::size_t N>
  void hex(std::array<std::uint8_t, N>& out) {
    failed_ = !from_hex(text(), out) || failed_;
  }
  UtcSeconds time() {
    const std::string_view word = text();
    UtcSeconds out;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out.value);
    failed_ = failed_ || error != std::errc() || end != word.data() + word.size();
    return out;
  }
  transport::PublicKey key() {
    const auto out = transport::parse_public_key(text(), "");
    failed_ = failed_ || !out;
    return out.value_or(transport::PublicKey());
  }
  [[nodiscard]] bool is_complete() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

// False if the line has another form.
bool read_line(std::string_view line, KeyStatements& out) {
  Words words(line);
  const std::string_view kind = words.text();
  if (kind == "federation") {
    if (!out.federation.empty() || !out.roots.empty() || out.aggregator) return false;
    out.federation = words.text();
    return words.is_complete() && config::check_name(out.federation, "").has_value();
  }
  if (out.federation.empty() || out.aggregator) return false;
  if (kind == "root") {
    RootStatement s;
    words.hex(s.former);
    words.hex(s.next);
    s.issued = words.time();
    s.until = words.time();
    words.hex(s.by_former);
    words.hex(s.by_next);
    out.roots.push_back(s);
    return words.is_complete() && out.roots.size() <= root_statements_max;
  }
  if (kind != "aggregator") return false;
  AggregatorStatement s;
  s.key = words.key();
  s.issued = words.time();
  s.from = words.time();
  words.hex(s.signature);
  out.aggregator = s;
  return words.is_complete();
}

}  // namespace

Result<AggregatorStatement> state_aggregator(const SigningKey& root, std::string_view federation,
                                             AggregatorStatement unsigned_statement) {
  HANSA_TRY(unsigned_statement.signature, root.sign(signed_text(unsigned_statement, federation)));
  return unsigned_statement;
}

Result<RootStatement> state_root(const SigningKey& former, const SigningKey& next,
                                 std::string_view federation, UtcSeconds issued, UtcSeconds until) {
  RootStatement out{former.public_key(), next.public_key(), issued, until, {}, {}};
  const std::string text = signed_text(out, federation);
  HANSA_TRY(out.by_former, former.sign(text));
  HANSA_TRY(out.by_next, next.sign(text));
  return out;
}

Result<TrustedRoots> follow_roots(const KeyStatements& statements, const IdentityKey& pinned,
                                  UtcSeconds now) {
  TrustedRoots out{pinned};
  std::vector<IdentityKey> seen{pinned};
  for (const RootStatement& s : statements.roots) {
    if (s.former != out.newest) {
      // Those before the pinned root need not be checked; none may follow that does not continue the chain.
      if (seen.size() == 1) continue;
      return refuse("does not continue from root key to root key");
    }
    if (std::ranges::find(seen, s.next) != seen.end()) return refuse("names a root key twice");
    const std::string text = signed_text(s, statements.federation);
    if (!secure_aggregation::verify(s.former, text, s.by_former) ||
        !secure_aggregation::verify(s.next, text, s.by_next))
      return refuse("is not signed by the former and the next root key");
    out.former.reset();
    if (now < s.until) out.former = s.former;
    out.newest = s.next;
    seen.push_back(s.next);
  }
  return out;
}

Result<TrustedRoots> check_statements(const KeyStatements& statements, std::string_view federation,
                                      const IdentityKey& pinned, UtcSeconds now) {
  if (statements.federation != federation)
    return refuse("is for federation \"" + statements.federation + "\"",
                  "ask the operator of federation \"" + std::string(federation) + "\"");
  HANSA_TRY(const TrustedRoots roots, follow_roots(statements, pinned, now));
  if (!statements.aggregator) return roots;
  const std::string text = signed_text(*statements.aggregator, federation);
  const auto signed_by = [&](const IdentityKey& root) {
    return secure_aggregation::verify(root, text, statements.aggregator->signature);
  };
  if (signed_by(roots.newest) || (roots.former && signed_by(*roots.former))) return roots;
  return refuse("about the aggregator's key is not signed by the federation's root key",
                "do not use it: tell the operator");
}

Result<void> check_continues(const KeyStatements& offered, const KeyStatements& accepted) {
  if (offered.roots.size() < accepted.roots.size() ||
      !std::equal(accepted.roots.begin(), accepted.roots.end(), offered.roots.begin()))
    return refuse("does not continue the one about root keys that was accepted before",
                  "ask the operator for the newest one");
  if (!accepted.aggregator) return {};
  if (!offered.aggregator || offered.aggregator->issued < accepted.aggregator->issued)
    return refuse("about the aggregator's key is older than the one that was accepted before",
                  "ask the operator for the newest one");
  const bool is_other = offered.aggregator->key != accepted.aggregator->key ||
                        offered.aggregator->from != accepted.aggregator->from;
  if (offered.aggregator->issued == accepted.aggregator->issued && is_other)
    return refuse("contradicts the one of the same time that was accepted before", "tell the operator");
  return {};
}

std::string text_of(const KeyStatements& statements) {
  std::string out = "federation " + statements.federation + "\n";
  for (const RootStatement& s : statements.roots)
    out += fmt::format("root {} {} {} {} {} {}\n", to_hex(s.former), to_hex(s.next), s.issued.value,
                       s.until.value, to_hex(s.by_former), to_hex(s.by_next));
  if (const auto& s = statements.aggregator)
    out += fmt::format("aggregator {} {} {} {}\n", s->key.text(), s->issued.value, s->from.value,
                       to_hex(s->signature));
  return out;
}

Result<KeyStatements> parse_statements(std::string_view text, std::string_view location) {
  constexpr const char* hint = "ask the operator for the federation's file \"statements\"";
  if (text.size() > statements_bytes_max)
    return fail(ErrorCode::usage, std::string(location), "is too long to be a statement about keys", hint);
  KeyStatements out;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    if (!read_line(line, out))
      return fail(ErrorCode::usage, fmt::format("{}:{}", location, number), "is no statement about keys",
                  hint);
  }
  if (out.federation.empty())
    return fail(ErrorCode::usage, std::string(location), "has no statement about keys", hint);
  return out;
}

Result<KeyStatements> read_statements(const std::filesystem::path& file) {
  HANSA_TRY(const std::string text, read_text_file(file, statements_bytes_max));
  return parse_statements(text, file.string());
}

TrustedRoots roots_in(const std::filesystem::path& file, std::string_view federation,
                      const IdentityKey& pinned, UtcSeconds now) {
  if (const auto statements = read_statements(file))
    if (auto roots = check_statements(*statements, federation, pinned, now)) return *roots;
  return {pinned};
}

std::vector<std::byte> frame_of(const KeyStatements& statements) {
  const std::string text = text_of(statements);
  std::vector<std::byte> out(frame_header.size() + text.size());
  std::ranges::copy(frame_header, out.begin());
  std::ranges::copy(std::as_bytes(std::span(text)),
                    out.begin() + static_cast<std::ptrdiff_t>(frame_header.size()));
  return out;
}

bool is_statements_frame(std::span<const std::byte> frame) {
  return frame.size() >= frame_header.size() && frame[0] == frame_header[0] && frame[1] == frame_header[1];
}

Result<KeyStatements> parse_statements_frame(std::span<const std::byte> frame) {
  if (!is_statements_frame(frame) || !std::ranges::equal(frame.first(frame_header.size()), frame_header))
    return fail(ErrorCode::protocol, "the statement about keys", "is of another version");
  const auto text = frame.subspan(frame_header.size());
  return parse_statements({reinterpret_cast<const char*>(text.data()), text.size()},
                          "the statement about keys");
}

Result<void> write_statements(const KeyStatements& statements, const std::filesystem::path& file) {
  return write_file_atomically(file,
                               "# Changes of the federation's keys, signed by its root key. The aggregator "
                               "sends this to its clients.\n"
                               "# For a device that was away: hansa-client accept client.toml FILE\n" +
                                   text_of(statements));
}

}  // namespace hansa::enrolment
