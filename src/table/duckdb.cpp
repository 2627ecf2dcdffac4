#include "table/duckdb.hpp"

#include "core/error.hpp"

#if defined(UNVEIL_WITH_DUCKDB)
#include <dlfcn.h>
#include <duckdb.h>
#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <filesystem>
#include <mutex>
#include <system_error>
#endif

namespace unveil {

std::string sql_literal(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out += '\'';
        out += c;
    }
    return out + '\'';
}

std::string sql_identifier(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + '"';
}

#if defined(UNVEIL_WITH_DUCKDB)

namespace {

// The functions of DuckDB's C interface that are used, looked up once by name.
#define UNVEIL_DUCKDB_FUNCTIONS(use)                                                                         \
    use(duckdb_create_config) use(duckdb_set_config) use(duckdb_destroy_config) use(duckdb_open_ext)         \
        use(duckdb_close) use(duckdb_connect) use(duckdb_disconnect) use(duckdb_free) use(duckdb_query)      \
            use(duckdb_destroy_result) use(duckdb_result_error) use(duckdb_prepare)                          \
                use(duckdb_prepare_error) use(duckdb_destroy_prepare) use(duckdb_pending_prepared_streaming) \
                    use(duckdb_pending_error) use(duckdb_destroy_pending) use(duckdb_execute_pending)        \
                        use(duckdb_fetch_chunk) use(duckdb_destroy_data_chunk)                               \
                            use(duckdb_data_chunk_get_size) use(duckdb_data_chunk_get_vector)                \
                                use(duckdb_vector_get_data) use(duckdb_vector_get_validity)                  \
                                    use(duckdb_list_vector_get_child) use(duckdb_column_count)               \
                                        use(duckdb_column_name) use(duckdb_column_type)                      \
                                            use(duckdb_column_logical_type) use(duckdb_list_type_child_type) \
                                                use(duckdb_get_type_id) use(duckdb_destroy_logical_type)

struct Functions {
#define UNVEIL_DUCKDB_MEMBER(name) decltype(&::name) name = nullptr;
    UNVEIL_DUCKDB_FUNCTIONS(UNVEIL_DUCKDB_MEMBER)
#undef UNVEIL_DUCKDB_MEMBER
};

struct Library {
    Functions functions;
    std::string problem;  // why it could not be loaded; empty when it was
};

Library load_library() {
    Library library;
    // Beside the program, as it is built and installed; then wherever the system's loader finds one.
    std::vector<std::string> candidates;
    std::error_code failed;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
    if (!failed) candidates.push_back((program.parent_path() / "../lib/unveil/libduckdb.so").string());
    candidates.emplace_back("libduckdb.so");
    void* handle = nullptr;
    for (const auto& candidate : candidates) {
        // RTLD_LOCAL: the library carries its own ICU, whose names must not meet ours.
        handle = ::dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (handle) break;
        const char* why = ::dlerror();
        library.problem = why ? why : "unknown reason";
    }
    if (!handle) return library;
    library.problem.clear();
#define UNVEIL_DUCKDB_LOOK_UP(name)                                                       \
    library.functions.name = reinterpret_cast<decltype(&::name)>(::dlsym(handle, #name)); \
    if (!library.functions.name) library.problem = "libduckdb.so is too old: it lacks " #name;
    UNVEIL_DUCKDB_FUNCTIONS(UNVEIL_DUCKDB_LOOK_UP)
#undef UNVEIL_DUCKDB_LOOK_UP
    return library;
}

const Library& library() {
    static const Library loaded = load_library();
    return loaded;
}

/// Throws when the library is missing.
const Functions& duck() {
    if (!library().problem.empty())
        throw Error(ErrorKind::run, fmt::format("DuckDB could not be loaded ({})", library().problem),
                    "Build unveil again with ./run, or put libduckdb.so into the folder lib/unveil beside "
                    "the program's "
                    "bin folder; CSV and JSON need no DuckDB");
    return library().functions;
}

struct Connection {
    explicit Connection(const Functions& loaded) : functions(loaded) {}
    ~Connection() {
        if (connection) functions.duckdb_disconnect(&connection);
        if (database) functions.duckdb_close(&database);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void execute(const std::string& sql) {
        duckdb_result result{};
        const auto state = functions.duckdb_query(connection, sql.c_str(), &result);
        std::string message;
        if (state != DuckDBSuccess) {
            const char* said = functions.duckdb_result_error(&result);
            message = said ? said : "the query failed";
        }
        functions.duckdb_destroy_result(&result);
        if (state != DuckDBSuccess) throw Error(ErrorKind::input, message);
    }

    const Functions& functions;
    duckdb_database database = nullptr;
    duckdb_connection connection = nullptr;
};

std::string type_name(duckdb_type type) {
    switch (type) {
        case DUCKDB_TYPE_BOOLEAN:
            return "BOOLEAN";
        case DUCKDB_TYPE_TINYINT:
            return "TINYINT";
        case DUCKDB_TYPE_SMALLINT:
            return "SMALLINT";
        case DUCKDB_TYPE_INTEGER:
            return "INTEGER";
        case DUCKDB_TYPE_BIGINT:
            return "BIGINT";
        case DUCKDB_TYPE_HUGEINT:
            return "HUGEINT";
        case DUCKDB_TYPE_UTINYINT:
            return "UTINYINT";
        case DUCKDB_TYPE_USMALLINT:
            return "USMALLINT";
        case DUCKDB_TYPE_UINTEGER:
            return "UINTEGER";
        case DUCKDB_TYPE_UBIGINT:
            return "UBIGINT";
        case DUCKDB_TYPE_FLOAT:
            return "FLOAT";
        case DUCKDB_TYPE_DOUBLE:
            return "DOUBLE";
        case DUCKDB_TYPE_DECIMAL:
            return "DECIMAL";
        case DUCKDB_TYPE_DATE:
            return "DATE";
        case DUCKDB_TYPE_TIME:
            return "TIME";
        case DUCKDB_TYPE_TIMESTAMP:
            return "TIMESTAMP";
        case DUCKDB_TYPE_TIMESTAMP_TZ:
            return "TIMESTAMP WITH TIME ZONE";
        case DUCKDB_TYPE_VARCHAR:
            return "VARCHAR";
        case DUCKDB_TYPE_BLOB:
            return "BLOB";
        case DUCKDB_TYPE_LIST:
            return "LIST";
        case DUCKDB_TYPE_STRUCT:
            return "STRUCT";
        case DUCKDB_TYPE_MAP:
            return "MAP";
        default:
            return "OTHER";
    }
}

bool is_valid(const std::uint64_t* validity, std::uint64_t row) {
    return !validity || (validity[row / 64] >> (row % 64) & 1) != 0;
}

std::string_view view_of(const duckdb_string_t& text) {
    const auto size = text.value.inlined.length;
    return {size <= sizeof(text.value.inlined.inlined) ? text.value.inlined.inlined : text.value.pointer.ptr,
            size};
}

}  // namespace

struct DuckState {
    std::shared_ptr<Connection> connection;
};

struct DuckResultState {
    std::shared_ptr<Connection> connection;  // outlives the database object that made it
    duckdb_prepared_statement statement = nullptr;
    duckdb_pending_result pending = nullptr;
    duckdb_result result{};
    duckdb_data_chunk chunk = nullptr;
    std::vector<DuckDatabase::Column> columns;
    std::vector<duckdb_type> item_types;  // of lists; else of the column
    std::size_t rows = 0;

    explicit DuckResultState(std::shared_ptr<Connection> shared) : connection(std::move(shared)) {}
    DuckResultState(const DuckResultState&) = delete;
    DuckResultState& operator=(const DuckResultState&) = delete;
    ~DuckResultState() {
        const auto& f = connection->functions;
        if (chunk) f.duckdb_destroy_data_chunk(&chunk);
        f.duckdb_destroy_result(&result);
        if (pending) f.duckdb_destroy_pending(&pending);
        if (statement) f.duckdb_destroy_prepare(&statement);
    }

    void start(const std::string& sql) {
        const auto& f = connection->functions;
        const auto check = [](duckdb_state state, const char* said) {
            if (state != DuckDBSuccess) throw Error(ErrorKind::input, said ? said : "the query failed");
        };
        const auto prepared = f.duckdb_prepare(connection->connection, sql.c_str(), &statement);
        check(prepared, prepared == DuckDBSuccess ? nullptr : f.duckdb_prepare_error(statement));
        const auto began = f.duckdb_pending_prepared_streaming(statement, &pending);
        check(began, began == DuckDBSuccess ? nullptr : f.duckdb_pending_error(pending));
        const auto executed = f.duckdb_execute_pending(pending, &result);
        check(executed, executed == DuckDBSuccess ? nullptr : f.duckdb_result_error(&result));
        const auto count = f.duckdb_column_count(&result);
        for (idx_t i = 0; i < count; ++i) {
            auto type = f.duckdb_column_type(&result, i);
            const auto name = type_name(type);
            if (type == DUCKDB_TYPE_LIST) {
                auto list = f.duckdb_column_logical_type(&result, i);
                auto item = f.duckdb_list_type_child_type(list);
                type = f.duckdb_get_type_id(item);
                f.duckdb_destroy_logical_type(&item);
                f.duckdb_destroy_logical_type(&list);
                columns.push_back({f.duckdb_column_name(&result, i), type_name(type) + "[]"});
            } else {
                columns.push_back({f.duckdb_column_name(&result, i), name});
            }
            item_types.push_back(type);
        }
    }
};

DuckDatabase::DuckDatabase(const Options& options) : m_state(std::make_unique<DuckState>()) {
    const auto& f = duck();
    m_state->connection = std::make_shared<Connection>(f);
    duckdb_config config = nullptr;
    if (f.duckdb_create_config(&config) != DuckDBSuccess)
        throw Error(ErrorKind::run, "DuckDB could not be configured");
    const std::pair<const char*, std::string> settings[] = {
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"allow_community_extensions", "false"},
        {"threads", std::to_string(std::max(1u, options.threads))},
        {"memory_limit", fmt::format("{}B", options.memory_bytes_max)},
        // Nothing may be left in the folder where unveil happens to run.
        {"temp_directory", ""},
    };
    for (const auto& [name, value] : settings) {
        if (f.duckdb_set_config(config, name, value.c_str()) == DuckDBSuccess) continue;
        f.duckdb_destroy_config(&config);
        throw Error(ErrorKind::run, fmt::format("DuckDB does not know the setting {}={}", name, value),
                    "Use the version of DuckDB that unveil's set-up fetches");
    }
    char* said = nullptr;
    const auto opened = f.duckdb_open_ext(nullptr, &m_state->connection->database, config, &said);
    f.duckdb_destroy_config(&config);
    std::string message = said ? said : "unknown reason";
    if (said) f.duckdb_free(said);
    if (opened != DuckDBSuccess ||
        f.duckdb_connect(m_state->connection->database, &m_state->connection->connection) != DuckDBSuccess)
        throw Error(ErrorKind::run, fmt::format("DuckDB could not be started ({})", message));
    execute("SET TimeZone = 'UTC'");
    if (!options.external_access) lock_external_access();
}

DuckDatabase::~DuckDatabase() = default;
DuckDatabase::DuckDatabase(DuckDatabase&&) noexcept = default;

void DuckDatabase::execute(const std::string& sql) {
    m_state->connection->execute(sql);
}

void DuckDatabase::lock_external_access() {
    execute("SET enable_external_access = false");
    execute("SET lock_configuration = true");
}

DuckDatabase::Result DuckDatabase::query(const std::string& sql) {
    auto state = std::make_unique<DuckResultState>(m_state->connection);
    state->start(sql);
    return Result(std::move(state));
}

DuckDatabase::Result::Result(std::unique_ptr<DuckResultState> state) : m_state(std::move(state)) {}
DuckDatabase::Result::~Result() = default;
DuckDatabase::Result::Result(Result&&) noexcept = default;

const std::vector<DuckDatabase::Column>& DuckDatabase::Result::columns() const {
    return m_state->columns;
}

bool DuckDatabase::Result::next_chunk() {
    const auto& f = m_state->connection->functions;
    if (m_state->chunk) f.duckdb_destroy_data_chunk(&m_state->chunk);
    m_state->rows = 0;
    for (;;) {
        m_state->chunk = f.duckdb_fetch_chunk(m_state->result);
        if (!m_state->chunk) {
            if (const char* said = f.duckdb_result_error(&m_state->result); said && *said)
                throw Error(ErrorKind::input, said);
            return false;
        }
        m_state->rows = f.duckdb_data_chunk_get_size(m_state->chunk);
        if (m_state->rows > 0) return true;
        f.duckdb_destroy_data_chunk(&m_state->chunk);
    }
}

std::size_t DuckDatabase::Result::rows() const {
    return m_state->rows;
}

std::optional<std::string_view> DuckDatabase::Result::text(std::size_t column, std::size_t row) const {
    UNVEIL_ASSERT(column < m_state->columns.size() && row < m_state->rows);
    UNVEIL_ASSERT(m_state->columns[column].type == "VARCHAR");
    const auto& f = m_state->connection->functions;
    const auto vector = f.duckdb_data_chunk_get_vector(m_state->chunk, column);
    if (!is_valid(f.duckdb_vector_get_validity(vector), row)) return {};
    return view_of(static_cast<const duckdb_string_t*>(f.duckdb_vector_get_data(vector))[row]);
}

void DuckDatabase::Result::list(std::size_t column, std::size_t row,
                                std::vector<std::string_view>& items) const {
    UNVEIL_ASSERT(column < m_state->columns.size() && row < m_state->rows);
    UNVEIL_ASSERT(m_state->columns[column].type == "VARCHAR[]");
    const auto& f = m_state->connection->functions;
    const auto vector = f.duckdb_data_chunk_get_vector(m_state->chunk, column);
    if (!is_valid(f.duckdb_vector_get_validity(vector), row)) return;
    const auto entry = static_cast<const duckdb_list_entry*>(f.duckdb_vector_get_data(vector))[row];
    const auto child = f.duckdb_list_vector_get_child(vector);
    const auto* validity = f.duckdb_vector_get_validity(child);
    const auto* texts = static_cast<const duckdb_string_t*>(f.duckdb_vector_get_data(child));
    for (auto i = entry.offset; i < entry.offset + entry.length; ++i)
        if (is_valid(validity, i)) items.push_back(view_of(texts[i]));
}

bool has_duckdb() {
    return library().problem.empty();
}

#else  // built without DuckDB

namespace {
[[noreturn]] void fail_without_duckdb() {
    throw Error(ErrorKind::run, "this unveil was built without DuckDB, which Parquet and SQL need",
                "Build it with -DUNVEIL_WITH_DUCKDB=ON, or use CSV or JSON");
}
}  // namespace

struct DuckState {};
struct DuckResultState {};

DuckDatabase::DuckDatabase(const Options&) {
    fail_without_duckdb();
}
DuckDatabase::~DuckDatabase() = default;
DuckDatabase::DuckDatabase(DuckDatabase&&) noexcept = default;
void DuckDatabase::execute(const std::string&) {
    fail_without_duckdb();
}
void DuckDatabase::lock_external_access() {
    fail_without_duckdb();
}
DuckDatabase::Result DuckDatabase::query(const std::string&) {
    fail_without_duckdb();
}
DuckDatabase::Result::Result(std::unique_ptr<DuckResultState>) {
    fail_without_duckdb();
}
DuckDatabase::Result::~Result() = default;
DuckDatabase::Result::Result(Result&&) noexcept = default;
const std::vector<DuckDatabase::Column>& DuckDatabase::Result::columns() const {
    fail_without_duckdb();
}
bool DuckDatabase::Result::next_chunk() {
    fail_without_duckdb();
}
std::size_t DuckDatabase::Result::rows() const {
    fail_without_duckdb();
}
std::optional<std::string_view> DuckDatabase::Result::text(std::size_t, std::size_t) const {
    fail_without_duckdb();
}
void DuckDatabase::Result::list(std::size_t, std::size_t, std::vector<std::string_view>&) const {
    fail_without_duckdb();
}
bool has_duckdb() {
    return false;
}

#endif

}  // namespace unveil
