// A federation's folder with runs and devices, and the API over it, without a socket.
//
// If the environment variable HANSA_API_RESPONSES names a folder, each answer is written into it, for openapi_check.py.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/files.h"
#include "common/log_history.h"
#include "common/parameter_layout.h"
#include "protocols/enrolment/device_file.h"
#include "server/enrolment/admitted_folder.h"
#include "server/monitor/api.h"
#include "server/monitor/live_board.h"
#include "server/monitor/operator_commands.h"
#include "server/store/run_folder.h"
#include "tests/register/support.h"
#include "tests/server_parts/store_fixtures.h"
#include "tests/temporary_folder.h"

namespace hansa::server {

inline const std::string federation_text =
    "[federation]\nname = \"harbour\"\nrounds = 20\n[aggregator]\nkey = \"aggregator.key\"\nadmitted = "
    "\"admitted\"\n"
    "runs = \"runs\"\nregister = \"devices.sqlite\"\n[model]\narchive = \"m.pt\"\n";

class ApiTest : public ::testing::Test {
 protected:
  using Json = nlohmann::json;

  [[nodiscard]] std::filesystem::path runs_folder() const { return folder_.path() / "harbour" / "runs"; }
  [[nodiscard]] static ParameterLayout layout() {
    return *ParameterLayout::create({{"conv.weight", {10, 1'790}, ParameterKind::trainable},
                                     {"conv.bias", {90}, ParameterKind::trainable},
                                     {"norm.mean", {10}, ParameterKind::buffer}});
  }

  struct RunPlan {
    std::string name = "harbour-20260102-030405";
    std::uint32_t rounds = 3;
    std::string started_from = {};
    RunKind kind = RunKind::production;
    Retention retention = {};
    std::string configuration = federation_text;
  };
  // The rounds of store_fixtures.h: every outcome, and secure sums in the even ones.
  std::filesystem::path make_run(const RunPlan& plan) {
    const bool is_simulated = plan.kind == RunKind::simulated;
    const auto folder = (is_simulated ? runs_folder() / "simulated" : runs_folder()) / plan.name;
    const auto store = RunFolder::open(folder, plan.retention);
    EXPECT_TRUE(store) << store.error().text();
    const auto initial = model_of(0);
    RunIdentity identity = identity_of(initial);
    identity.run = plan.name;
    identity.started_from = plan.started_from;
    identity.kind = plan.kind;
    identity.layout = layout().digest();
    EXPECT_TRUE((*store)->put_layout(layout().text()));
    EXPECT_TRUE((*store)->begin_run(identity, initial));
    if (!plan.configuration.empty()) {
      EXPECT_TRUE((*store)->put_configuration(RoundId(0), plan.configuration));
    }
    for (std::uint32_t round = 1; round <= plan.rounds; ++round) commit_next(**store);
    return folder;
  }
  static void commit_next(RunFolder& store) {
    const auto position = **store.position();
    const std::uint32_t round = position.round.value + 1;
    RoundRecord record = record_of(round, *store.put_model(model_of(round)), position.model);
    record.update_norm = 0.5;
    if (round % 3 != 0) record.layer_norms = {0.25, 0.125, 0};
    EXPECT_TRUE(store.commit_round(record));
  }

  // Devices "lubeck" and "riga" are admitted. The clock is that of tests/register/support.h.
  ApiParts live_parts(const std::string& more_settings = {}) {
    const auto file = folder_.path() / "harbour" / "federation.toml";
    EXPECT_TRUE(make_folders(file.parent_path()));
    EXPECT_TRUE(write_file_atomically(file, federation_text + more_settings));
    const auto config = read_federation_config(file);
    EXPECT_TRUE(config) << config.error().text();
    std::vector<DeviceRegister::Listed> listed;
    for (const char* name : {"lubeck", "riga"}) {
      if (std::filesystem::exists(config->admitted / (std::string(name) + ".pub"))) continue;
      const testing::Keys keys;
      EXPECT_TRUE(make_folders(config->admitted));
      Device device;
      device.name = name;
      device.key = keys.key;
      device.identity = keys.identity;
      device.certificate = Device::Certified{{1, testing::today, {testing::today.value + testing::hour}}, {}};
      EXPECT_TRUE(admit_device(config->admitted, device));
    }
    auto devices = DeviceRegister::open(register_file());
    EXPECT_TRUE(devices->match_folder(*list_admitted(config->admitted), {"aggregator", testing::today}));
    LiveState state;
    state.run = "harbour-20260102-030405";
    state.at = "2026-01-02T03:04:06Z";
    state.phase = "training";
    state.members = {{"lubeck", "pending", 1.5, 0.5}};
    state.alarms = {{"warning", "2026-01-02T03:04:06Z", "riga is silent"}};
    state.connected_clients = {{"lubeck", 12}};
    live_.set(state);
    LogRecord line;
    line.component = "aggregator";
    line.message = "round 1 is committed";
    line.event = "round.committed";
    line.round = RoundId(1);
    log_.add(line);
    ApiParts out;
    out.runs = {runs_folder()};
    out.config = *config;
    out.live = &live_;
    out.commands = &commands_;
    out.log = &log_;
    out.version = "1.2.3";
    out.commit = "abc";
    out.protocol = 11;
    out.wall_clock = [] { return testing::today; };
    out.on_devices_changed = [this] { ++changes_; };
    return out;
  }
  [[nodiscard]] std::filesystem::path register_file() const {
    return folder_.path() / "harbour" / "devices.sqlite";
  }

  // Of `api_`, which shows the runs if the test has not made one.
  http::Response handle(const http::Request& request) {
    if (!api_) {
      ApiParts parts;
      parts.runs = {runs_folder()};
      api_ = std::make_unique<Api>(std::move(parts));
    }
    http::Response out = api_->handle(request);
    write(request, out);
    return out;
  }
  http::Response get(const std::string& path, std::map<std::string, std::string> query = {}) {
    return handle({"GET", "/api/v1" + path, std::move(query), "", false});
  }
  http::Response post(const std::string& path, const std::string& body) {
    return handle({"POST", "/api/v1" + path, {}, body, true});
  }
  // Of an answer with this status.
  static Json json(const http::Response& response, unsigned status = 200) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(response.content_type, "application/json");
    const Json out = Json::parse(response.body, nullptr, false);
    EXPECT_FALSE(out.is_discarded()) << response.body;
    return out;
  }
  static std::string error_code(const http::Response& response, unsigned status) {
    const Json out = json(response, status);
    return out.is_object() && out.contains("error") ? out["error"].value("code", "") : response.body;
  }

  TemporaryFolder folder_;
  LiveBoard live_;
  OperatorCommands commands_;
  LogHistory log_{{}};
  int changes_ = 0;
  std::unique_ptr<Api> api_;

 private:
  static void write(const http::Request& request, const http::Response& response) {
    const char* to = std::getenv("HANSA_API_RESPONSES");
    if (to == nullptr) return;
    static int number = 0;
    const Json out{{"method", request.method},
                   {"path", request.path},
                   {"status", response.status},
                   {"content_type", response.content_type},
                   {"body", response.body}};
    std::ofstream(std::filesystem::path(to) / (std::to_string(++number) + ".json")) << out;
  }
};

}  // namespace hansa::server
