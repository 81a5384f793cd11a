// The runs in one or several folders, by their names. A run is found by comparing names with those of the folders' entries:
// no path is made from what a request says. Symbolic links are not followed. One thread.
#pragma once
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "server/monitor/run_source.h"

namespace hansa::server {

class RunLibrary {
 public:
  // texts_bytes_max: for the texts of all runs together; those of the runs that were used first are dropped.
  explicit RunLibrary(std::vector<std::filesystem::path> folders,
                      std::size_t texts_bytes_max = std::size_t{128} << 20);

  // All runs that are there now, refreshed, the newest first. With several folders a name begins with that of its folder:
  // "mine/mine-20260102-030405". Fails (storage) if a folder cannot be read.
  [[nodiscard]] Result<std::vector<RunSource*>> all();
  // Null: there is none. The run is not refreshed.
  [[nodiscard]] Result<RunSource*> find(std::string_view name);
  // Call it after each request: closes files, and drops texts.
  void tidy();

 private:
  struct Folder {
    std::filesystem::path path;
    std::string prefix;  // of its runs' names
  };
  struct Entry {
    std::unique_ptr<RunSource> source;
    std::uint64_t used = 0;  // the number of its last use
  };
  [[nodiscard]] Result<void> list();

  std::vector<Folder> folders_;
  std::size_t texts_bytes_max_;
  std::map<std::string, Entry, std::less<>> runs_;
  std::uint64_t uses_ = 0;
};

}  // namespace hansa::server
