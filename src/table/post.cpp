#include "table/post.hpp"

namespace unveil {

std::span<const PostFieldName> post_field_names() {
    static constexpr PostFieldName names[] = {
        {PostField::account, "account"},     {PostField::content, "content"},   {PostField::time, "time"},
        {PostField::object, "object"},       {PostField::text, "text"},         {PostField::repost_of, "repost_of"},
        {PostField::reply_to, "reply_to"},   {PostField::quote_of, "quote_of"}, {PostField::urls, "urls"},
        {PostField::hashtags, "hashtags"},   {PostField::mentions, "mentions"}, {PostField::domains, "domains"},
        {PostField::is_repost, "is_repost"}, {PostField::name, "name"},         {PostField::language, "language"},
        {PostField::client, "client"},
    };
    return names;
}

void PostBatch::clear() {
    row.clear();
    time_us.clear();
    for (auto* column : {&account, &content, &object, &text, &repost_of, &reply_to, &quote_of, &name, &language, &client})
        column->clear();
    for (auto* list : {&urls, &hashtags, &mentions, &domains}) list->clear();
    is_repost.clear();
}

}  // namespace unveil
