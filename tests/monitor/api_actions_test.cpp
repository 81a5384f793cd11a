// Devices, the log, and what the operator does.
#include <gmock/gmock.h>

#include "tests/monitor/api_fixture.h"

namespace hansa::server {
namespace {

using ::testing::HasSubstr;

class ApiActions : public ApiTest {
 protected:
  void SetUp() override {
    make_run({});
    api_ = std::make_unique<Api>(live_parts());
  }
  [[nodiscard]] AuditEntry last_entry() const {
    return DeviceRegister::open(register_file())->last_audit_entry()->value();
  }
  [[nodiscard]] bool is_admitted(const std::string& name) const {
    return std::filesystem::exists(folder_.path() / "harbour" / "admitted" / (name + ".pub"));
  }
};

TEST_F(ApiActions, TheFederationSaysWhatTheReaderMayDo) {
  const Json federation = json(get("/federation"));
  EXPECT_EQ(federation["name"], "harbour");
  EXPECT_EQ(federation["version"], "1.2.3");
  EXPECT_EQ(federation["live"]["run"], "harbour-20260102-030405");
  EXPECT_EQ(federation["may_act"], false);
  EXPECT_EQ(federation["actions"], Json({"stop", "devices"}));
  EXPECT_EQ(federation["devices"], true);
  EXPECT_EQ(json(handle({"GET", "/api/v1/federation", {}, "", true}))["may_act"], true);
}

TEST_F(ApiActions, TheLiveStateIsThatOfTheBoard) {
  const Json live = json(get("/live"));
  EXPECT_EQ(live["phase"], "training");
  EXPECT_EQ(live["members"][0]["upload"], 0.5);
  api_.reset();  // without an aggregator
  EXPECT_EQ(error_code(get("/live"), 404), "not_live");
}

TEST_F(ApiActions, TheLogIsReadInPages) {
  for (int i = 2; i <= 5; ++i) {
    LogRecord line;
    line.message = "line " + std::to_string(i);
    line.client = "riga";
    log_.add(line);
  }
  const auto sequences = [&](std::map<std::string, std::string> query) {
    const Json log = json(get("/log", std::move(query)));
    EXPECT_EQ(log["newest"], 5);
    std::vector<int> out;
    for (const Json& record : log["records"]) out.push_back(record["sequence"]);
    return out;
  };
  EXPECT_EQ(sequences({}), (std::vector<int>{1, 2, 3, 4, 5}));
  EXPECT_EQ(sequences({{"after", "2"}, {"limit", "2"}}), (std::vector<int>{3, 4}));
  EXPECT_EQ(sequences({{"before", "3"}, {"limit", "1"}}), (std::vector<int>{2}));
  EXPECT_EQ(error_code(get("/log", {{"after", "1"}, {"before", "2"}}), 400), "usage");
  EXPECT_EQ(error_code(get("/log", {{"limit", "501"}}), 400), "usage");
  const Json first = json(get("/log"))["records"][0];
  EXPECT_EQ(first["event"], "round.committed");
  EXPECT_EQ(first["time"], "1970-01-01T00:00:00.000Z");
  EXPECT_FALSE(first.contains("client"));
  api_.reset();
  EXPECT_EQ(error_code(get("/log"), 404), "no_log");
}

TEST_F(ApiActions, ADeviceHasTheRoundsForWhichItWasSelected) {
  make_run({"harbour-20260102-040000", 2});
  const Json devices = json(get("/devices"));
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices[0]["name"], "lubeck");
  EXPECT_EQ(devices[0]["state"], "admitted");
  EXPECT_EQ(devices[0]["connected"], true);
  EXPECT_EQ(devices[1]["connected"], false);
  EXPECT_EQ(devices[0]["new_examples"], 12);
  EXPECT_TRUE(devices[1]["new_examples"].is_null());
  EXPECT_EQ(devices[0]["last_seen"], nullptr);
  const Json lubeck = json(get("/devices/lubeck"));
  ASSERT_EQ(lubeck["history"].size(), 5U);
  EXPECT_EQ(lubeck["history"][0]["run"], "harbour-20260102-040000");
  EXPECT_EQ(lubeck["history"][0]["round"], 2);
  EXPECT_EQ(lubeck["history"][0]["examples"], 600);
  EXPECT_EQ(lubeck["history"][4]["round"], 1);
  EXPECT_EQ(error_code(get("/devices/nobody"), 404), "not_found");
  EXPECT_EQ(error_code(get("/devices/' OR 1=1 --"), 404), "not_found");
}

TEST_F(ApiActions, WithoutARegisterThereAreNoDevices) {
  ApiParts parts = live_parts();
  std::filesystem::remove(register_file());
  api_ = std::make_unique<Api>(std::move(parts));
  EXPECT_EQ(error_code(get("/devices"), 404), "no_register");
  EXPECT_EQ(json(get("/federation"))["devices"], false);
  EXPECT_FALSE(std::filesystem::exists(register_file())) << "reading makes no register";
}

TEST_F(ApiActions, NothingIsDoneWithoutTheToken) {
  for (const char* path :
       {"/actions/stop", "/devices/riga/revoke", "/devices/riga/quarantine", "/invitations"})
    EXPECT_EQ(error_code(handle({"POST", std::string("/api/v1") + path, {}, "{}", false}), 401), "token")
        << path;
  EXPECT_FALSE(commands_.take().stop_after_round);
  EXPECT_TRUE(is_admitted("riga"));
  EXPECT_EQ(last_entry().act, "device.admitted");
  EXPECT_EQ(changes_, 0);
}

TEST_F(ApiActions, AStopIsPassedOnAndRecorded) {
  EXPECT_EQ(json(post("/actions/stop", R"({"after_round": true})"), 202), Json::object());
  EXPECT_TRUE(commands_.take().stop_after_round);
  EXPECT_EQ(last_entry().act, "run.stop_asked");
  EXPECT_EQ(last_entry().actor, "dashboard");
  EXPECT_EQ(last_entry().subject, "harbour-20260102-030405");
}

TEST_F(ApiActions, ADeviceIsQuarantinedReleasedAndRevoked) {
  EXPECT_EQ(json(post("/devices/riga/quarantine", R"({"reason": "strange updates"})"))["state"],
            "quarantined");
  EXPECT_FALSE(is_admitted("riga"));
  EXPECT_EQ(last_entry().act, "device.quarantined");
  EXPECT_EQ(last_entry().actor, "dashboard");
  EXPECT_EQ(last_entry().details, "strange updates");
  EXPECT_EQ(json(post("/devices/riga/release", "{}"))["state"], "admitted");
  EXPECT_TRUE(is_admitted("riga"));
  EXPECT_EQ(error_code(post("/devices/riga/release", ""), 409), "usage") << "it is not quarantined";
  EXPECT_EQ(json(post("/devices/riga/revoke", "{}"))["state"], "revoked");
  EXPECT_FALSE(is_admitted("riga"));
  EXPECT_EQ(last_entry().act, "device.revoked");
  EXPECT_EQ(error_code(post("/devices/riga/revoke", "{}"), 409), "usage");
  EXPECT_EQ(error_code(post("/devices/nobody/revoke", "{}"), 404), "not_found");
  EXPECT_EQ(changes_, 3);
}

TEST_F(ApiActions, ABodyIsReadStrictly) {
  const std::string deep(10'000, '[');
  for (const std::string body :
       {R"({"reason": 7})", R"({"raeson": "x"})", R"({"reason": "a", "reason": "b"})", R"([])",
        R"({"reason": {}})", R"({"reason": "two\nlines"})", R"({"reason": "\u202eabc"})", "{", "null",
        deep.c_str(), "{} {}", "{\"reason\": \"\xff\"}"})
    EXPECT_EQ(error_code(post("/devices/riga/quarantine", body), 400), "usage") << body.substr(0, 40);
  EXPECT_EQ(
      error_code(post("/devices/riga/quarantine", "{\"reason\": \"" + std::string(201, 'a') + "\"}"), 400),
      "usage");
  for (const std::string body :
       {"", "{}", R"({"after_round": false})", R"({"after_round": 1})", R"({"now": true})"})
    EXPECT_EQ(error_code(post("/actions/stop", body), 400), "usage") << body;
  EXPECT_TRUE(is_admitted("riga"));
  EXPECT_FALSE(commands_.take().stop_after_round);
  EXPECT_EQ(changes_, 0);
}

TEST_F(ApiActions, WithoutAnEnrolmentPortThereIsNoInvitation) {
  const http::Response answer = post("/invitations", R"({"uses": 1, "expires_seconds": 3600})");
  EXPECT_EQ(error_code(answer, 409), "usage");
  EXPECT_THAT(answer.body, HasSubstr("[enrolment]"));
}

TEST_F(ApiActions, AnInvitationIsATokenForDevices) {
  const testing::Keys root, aggregator;
  ASSERT_TRUE(transport::write_secret_key(aggregator.secret, folder_.path() / "harbour" / "aggregator.key"));
  api_ = std::make_unique<Api>(live_parts(
      "[secure_aggregation]\nroot = \"" + enrolment::text_of(root.identity) +
      "\"\n[enrolment]\nbind = \"tcp://127.0.0.1:7471\"\naddress = \"tcp://mine.example:7471\"\n"));
  EXPECT_EQ(json(get("/federation"))["actions"], Json({"stop", "devices", "invite"}));
  const http::Response answer =
      post("/invitations", R"({"uses": 2, "expires_seconds": 3600, "label": "pump"})");
  const Json invited = json(answer);
  const auto token = enrolment::parse_join_token(invited["token"].get<std::string>());
  ASSERT_TRUE(token);
  EXPECT_EQ(token->federation, "harbour");
  EXPECT_EQ(invited["expires"], rfc3339_text({testing::today.value + 3600}));
  EXPECT_EQ(invited["command"], "hansa-client join " + invited["token"].get<std::string>());
  EXPECT_EQ(last_entry().act, "token.made");
  EXPECT_EQ(last_entry().actor, "dashboard");
  for (const char* body :
       {R"({"uses": 0, "expires_seconds": 3600})", R"({"uses": 10001, "expires_seconds": 3600})",
        R"({"uses": 1.5, "expires_seconds": 3600})", R"({"uses": 1, "expires_seconds": 59})",
        R"({"uses": 1})", R"({"uses": -1, "expires_seconds": 3600})",
        R"({"uses": "1", "expires_seconds": 3600})"})
    EXPECT_EQ(error_code(post("/invitations", body), 400), "usage") << body;
  EXPECT_EQ(error_code(post("/invitations", R"({"uses": 1, "expires_seconds": 3600, "label": "a b"})"), 409),
            "usage");
}

TEST_F(ApiActions, WithoutAnAggregatorNothingIsDone) {
  ApiParts parts = live_parts();
  parts.live = nullptr;
  parts.commands = nullptr;
  api_ = std::make_unique<Api>(std::move(parts));
  EXPECT_EQ(error_code(post("/devices/riga/revoke", "{}"), 409), "not_live");
  EXPECT_EQ(error_code(post("/actions/stop", R"({"after_round": true})"), 409), "not_live");
  EXPECT_TRUE(is_admitted("riga"));
  const Json federation = json(get("/federation"));
  EXPECT_EQ(federation["actions"], Json::array());
  EXPECT_EQ(federation["live"], nullptr);
  EXPECT_EQ(federation["devices"], true) << "they may be looked at";
}

TEST_F(ApiActions, PathsAndMethodsThatDoNotExistAreRefused) {
  for (const char* path :
       {"", "/", "/nothing", "/federation/x", "/devices/riga/revoke/x", "/live/x", "/runs/x/y/z/a/b/c"})
    EXPECT_EQ(get(path).status, 404U) << path;
  EXPECT_EQ(handle({"GET", "/api/v10/runs", {}, "", false}).status, 404U);
  EXPECT_EQ(handle({"GET", "/metrics", {}, "", false}).status, 404U);
  EXPECT_EQ(get("/devices/riga/revoke").status, 405U);
  EXPECT_EQ(handle({"PUT", "/api/v1/runs", {}, "", true}).status, 405U);
  EXPECT_EQ(post("/federation", "{}").status, 404U);
  EXPECT_EQ(error_code(get("/federation", {{"x", "y"}}), 400), "usage");
  EXPECT_EQ(json(get("/openapi.json"))["openapi"], "3.1.0");
}

}  // namespace
}  // namespace hansa::server
