// The aggregator's own key, and the one to which it changes: docs/enrolment.md, "Changing keys".
//
// `hansa keys rotate aggregator` makes AGGREGATOR.key.next and writes the root key's statement that it holds from a time on.
// From then on the aggregator uses it: at once when it starts, and between two rounds while it runs.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "common/error.h"
#include "common/utc.h"
#include "protocols/enrolment/key_statements.h"
#include "protocols/transport/keys.h"

namespace hansa::server::internal {

class AggregatorKey {
 public:
  // statements: the file need not exist. root: of the federation; empty: no statement is believed.
  AggregatorKey(std::filesystem::path file, std::filesystem::path statements, std::string federation,
                std::optional<secure_aggregation::IdentityKey> root);

  // The key to use now. If the next one holds by now, it takes the place of the present one first. on_warning: the statements
  // cannot be used, or name another key than the aggregator has.
  [[nodiscard]] Result<transport::SecretKey> read(
      UtcSeconds now, const std::function<void(const std::string&)>& on_warning) const;
  // Whether read() would switch.
  [[nodiscard]] bool is_switch_due(UtcSeconds now) const;
  // What the root key states; empty: nothing. Fails if the file is damaged, or is not signed by the root key.
  [[nodiscard]] Result<std::optional<enrolment::KeyStatements>> statements(UtcSeconds now) const;
  // The root keys that hold now; empty: the federation has none.
  [[nodiscard]] std::optional<enrolment::TrustedRoots> trusted_roots(UtcSeconds now) const;

 private:
  // The next key, if there is one and the statement names it.
  [[nodiscard]] std::optional<transport::SecretKey> next_key(
      const enrolment::KeyStatements& statements) const;

  std::filesystem::path file_, statements_;
  std::string federation_;
  std::optional<secure_aggregation::IdentityKey> root_;
};

}  // namespace hansa::server::internal
