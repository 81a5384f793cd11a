// A federation of real programs whose clients have 200 rows of a CSV file each, without secure aggregation unless a round has 3
// clients at least.
#pragma once
#include <string>

#include "tests/process/program_test.h"

namespace hansa::testing {

struct RowsPlan {
  int clients = 3;
  int rounds = 100'000;
  int clients_min = 2;  // of a round
  int classes = 2;  // of a logistic regression on two features: three values for each
};

class RowsFederation : public ProgramTest {
 protected:
  void create(const RowsPlan& plan = {}) {
    run("hansa",
        {"new", folder.string(), "--clients", std::to_string(plan.clients), "--rounds",
         std::to_string(plan.rounds), "--clients-min", std::to_string(plan.clients_min)},
        "new");
    const std::filesystem::path federation = folder / "federation.toml", model = folder / "model.pt";
    replace(federation, "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    std::filesystem::remove(model);
    run("hansa",
        {"model", "create", "logistic", model.string(), "--inputs", "2", "--classes",
         std::to_string(plan.classes)},
        "model");
    run("hansa", {"model", "sign", model.string(), "--key", (folder / "keys" / "root.key").string()}, "sign");
    train_on_all_examples();
    std::string rows = "a,b,y\n";
    for (int i = 0; i < 200; ++i)
      rows += std::to_string(i % 7) + "," + std::to_string(i % 3) + "," + std::to_string(i % 2) + "\n";
    ASSERT_TRUE(write_file_atomically(folder / "rows.csv", rows));
    for (int i = 1; i <= plan.clients; ++i) replace(client_file(i), "\\[data\\][^\\[]*", data_lines());
  }
  [[nodiscard]] std::string data_lines() const {
    return "[data]\nkind = \"csv\"\nfile = \"" + (folder / "rows.csv").string() + "\"\nlabel = \"y\"\n\n";
  }
  // A command in the federation's folder that must succeed.
  std::string hansa(std::vector<std::string> arguments, const std::string& name) {
    arguments.insert(arguments.end(), {"--folder", folder.string()});
    return run("hansa", arguments, name);
  }
};

}  // namespace hansa::testing
