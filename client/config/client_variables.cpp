#include "client/config/client_variables.h"

#include <array>

#include "client/config/client_schema.h"
#include "common/config/document.h"

namespace hansa::client {
namespace {

using config::Kind;
using config::Presence;
using config::Setting;
using config::Table;

constexpr std::array join_settings{
    Setting{.key = "token_file",
            .kind = Kind::path,
            .presence = Presence::optional,
            .meaning = "A file with the join token that `hansa invite` printed. Set this or `token`.",
            .example = "\"/run/secrets/token\""},
    Setting{.key = "token",
            .presence = Presence::optional,
            .meaning = "The join token itself. It is a secret until it was used, and whoever may inspect the "
                       "container or the process reads its variables: prefer `token_file`.",
            .range = {.least = 1, .most = 4'096},
            .example = "\"HANSA1AEAQ...\""},
};

constexpr std::array tables{
    Table{"join", Presence::optional,
          "Only as variables. If client.toml does not exist, hansa-client joins with this token, as "
          "`hansa-client join` does, writes the key, the certificate and client.toml to its folder, and "
          "starts. If client.toml exists, they are not used.",
          join_settings},
};

constexpr config::Schema schema{
    "Environment variables",
    "`HANSA__TABLE__KEY` replaces `key` of `[table]` in the file of `hansa-client` and `hansa-aggregator`: "
    "all "
    "in capitals, and `__` for each dot, as in `HANSA__DATA__FILE` and `HANSA__STRATEGY__FEDAVGM__MOMENTUM`. "
    "A text is written without quotes, anything else as in the file: `4`, `true`, `[\"a\", \"b\"]`. A "
    "variable with this prefix that is for no key is an error, and so is an empty one. "
    "[containers.md](containers.md#environment-variables).",
    tables};

}  // namespace

const config::Schema& join_schema() { return schema; }

Result<config::Variables> read_client_variables(const char* const* environment) {
  HANSA_TRY(config::Variables out, config::Variables::read(environment, {&client_schema(), &join_schema()}));
  HANSA_TRY_VOID(config::Document::check(out, client_schema()));
  HANSA_TRY_VOID(config::Document::check(out, join_schema()));
  return out;
}

}  // namespace hansa::client
