// SHA-256 of evidence and manifests, computed while the bytes stream by.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace unveil {

class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(const void* data, std::size_t size_bytes);
    /// Lower-case hex of everything given so far; the object starts anew.
    std::string finish_hex();

  private:
    struct State;
    std::unique_ptr<State> m_state;
};

std::string sha256_hex(std::string_view bytes);
/// Streams the file; throws Error(input) when it cannot be read.
std::string sha256_hex_of_file(const std::string& path);

}  // namespace unveil
