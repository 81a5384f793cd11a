#include "client/join/service_start.h"

#include <array>
#include <cerrno>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hansa::client {

bool start_service(const std::filesystem::path& runtime) {
  std::error_code error;
  if (!std::filesystem::is_directory(runtime, error)) return false;
  std::array<const char*, 5> words{"systemctl", "start", "--no-block", "hansa-client.service", nullptr};
  pid_t process = 0;
  if (::posix_spawnp(&process, words[0], nullptr, nullptr, const_cast<char* const*>(words.data()), environ) !=
      0)
    return false;
  int status = 0;
  while (::waitpid(process, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace hansa::client
