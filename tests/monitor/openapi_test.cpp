// The description of the API and its routes.
#include <set>

#include <gmock/gmock.h>

#include "tests/monitor/api_fixture.h"

namespace hansa::server {
namespace {

using Json = nlohmann::json;

std::set<std::string> described() {
  std::set<std::string> out;
  const Json document = Json::parse(Api::openapi());
  for (const auto& [path, operations] : document["paths"].items())
    for (const auto& [method, operation] : operations.items())
      out.insert((method == "get" ? "GET " : "POST ") + path);
  return out;
}

TEST(OpenApi, EveryRouteIsDescribedAndEveryDescriptionIsARoute) {
  std::set<std::string> routes{"GET /events"};  // of the server
  for (const Api::Route& route : Api::routes())
    routes.insert(std::string(route.method) + " " + std::string(route.path));
  EXPECT_EQ(described(), routes);
}

// For openapi_check.py: a folder that outlives this process.
class ApiProcess : public ApiTest {};
TEST_F(ApiProcess, DISABLED_WritesAFolderForAnotherProcess) {
  const char* to = std::getenv("HANSA_API_FOLDER");
  ASSERT_NE(to, nullptr);
  make_run({});
  (void)live_parts();
  std::filesystem::copy(folder_.path() / "harbour", to, std::filesystem::copy_options::recursive);
}

}  // namespace
}  // namespace hansa::server
