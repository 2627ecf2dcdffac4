#include "table/post.hpp"

namespace unveil {

std::span<const PostFieldName> post_field_names() {
    static constexpr PostFieldName names[] = {
        {PostField::account, "account"},
        {PostField::content, "content"},
        {PostField::time, "time"},
        {PostField::object, "object"},
        {PostField::text, "text"},
        {PostField::repost_of, "repost_of"},
        {PostField::reply_to, "reply_to"},
        {PostField::quote_of, "quote_of"},
        {PostField::urls, "urls"},
        {PostField::hashtags, "hashtags"},
        {PostField::mentions, "mentions"},
        {PostField::domains, "domains"},
        {PostField::is_repost, "is_repost"},
        {PostField::name, "name"},
        {PostField::language, "language"},
        {PostField::client, "client"},
        {PostField::repost_author, "repost_author"},
        {PostField::account_created, "account_created"},
        {PostField::reposts_received, "reposts_received"},
        {PostField::followers, "followers"},
        {PostField::label, "label"},
    };
    return names;
}

std::string_view post_field_name(PostField field) {
    for (const auto& entry : post_field_names())
        if (entry.field == field) return entry.name;
    return {};
}

void PostBatch::clear() {
    row.clear();
    time_us.clear();
    for (auto* column : {&account, &content, &object, &text, &repost_of, &reply_to, &quote_of, &name, &language, &client,
                         &repost_author, &label})
        column->clear();
    for (auto* list : {&urls, &hashtags, &mentions, &domains}) list->clear();
    is_repost.clear();
    account_created_us.clear();
    for (auto* counts : {&reposts_received, &followers}) counts->clear();
}

}  // namespace unveil
