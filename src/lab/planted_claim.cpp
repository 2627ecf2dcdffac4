#include "lab/planted_claim.hpp"

#include <fmt/format.h>

#include "core/output_table.hpp"

namespace unveil {

std::string case_toml(std::string_view head, std::span<const CasePart> parts) {
    std::string toml(head);
    for (const CasePart& part : parts) toml += part.evidence_toml;
    for (const CasePart& part : parts)
        for (const PlantedClaim& claim : part.claims) {
            toml += fmt::format("\n[[claim]]\nid = \"{}\"\ntext = \"{}\"\n", claim.id, claim.text);
            if (!claim.kind.empty()) toml += fmt::format("kind = \"{}\"\n", claim.kind);
            toml += fmt::format("{}holds = [\"{}\"]\n", part.test_toml, claim.comparison);
        }
    return toml;
}

void write_case(const std::string& folder, std::string_view head, std::span<const CasePart> parts) {
    std::vector<ExpectedVerdict> verdicts;
    for (const CasePart& part : parts)
        for (const PlantedClaim& claim : part.claims) verdicts.push_back({claim.id, claim.verdict, claim.reason});
    write_file_atomically(folder + "/expected_verdicts.json", expected_verdicts_to_json(verdicts));
    write_file_atomically(folder + "/case.toml", case_toml(head, parts));
}

}  // namespace unveil
