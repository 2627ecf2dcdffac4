#include "core/han_parts.hpp"

#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace unveil {
namespace {

// Each character is followed by its left and its right part.
constexpr std::string_view triples =
    "好女子明日月林木木朋月月双又又从人人休亻木体亻本件亻牛位亻立信亻言们亻门他亻也仙亻山住亻主何亻可作亻乍使亻吏你亻尔传亻专"
    "伪亻为仁亻二代亻弋任亻壬伐亻戈伴亻半但亻旦低亻氐仪亻义价亻介优亻尤侨亻乔俄亻我保亻呆俗亻谷借亻昔值亻直偏亻扁健亻建像亻象"
    "付亻寸仍亻乃仇亻九伍亻五仲亻中份亻分伯亻白佛亻弗佳亻圭俩亻两债亻责停亻亭做亻故法氵去江氵工河氵可海氵每湖氵胡清氵青活氵舌"
    "汗氵干池氵也油氵由洋氵羊洗氵先波氵皮泪氵目酒氵酉汉氵又沙氵少治氵台涛氵寿洪氵共潮氵朝渔氵鱼漂氵票演氵寅港氵巷注氵主泡氵包"
    "浪氵良消氵肖渡氵度溪氵奚说讠兑话讠舌议讠义记讠己论讠仑语讠吾请讠青访讠方评讠平诗讠寺讨讠寸训讠川许讠午证讠正让讠上认讠人"
    "计讠十讲讠井诉讠斥词讠司读讠卖调讠周谁讠隹试讠式该讠亥识讠只设讠殳谈讠炎铁钅失银钅艮铜钅同钱钅戋钟钅中钢钅冈针钅十铃钅令"
    "错钅昔锦钅帛红纟工纪纟己约纟勺级纟及纸纟氏给纟合结纟吉绍纟召线纟戋细纟田组纟且终纟冬织纟只维纟隹绿纟录打扌丁找扌戈把扌巴"
    "扣扌口扫扌彐抗扌亢护扌户批扌比持扌寺指扌旨按扌安抢扌仓拍扌白拉扌立妈女马她女也姓女生娘女良如女口妇女彐奴女又姐女且妹女未"
    "姑女古始女台嫁女家婚女昏妙女少轮车仑转车专软车欠轨车九功工力加力口动云力助且力劝又力难又隹鸡又鸟欢又欠对又寸戏又戈观又见"
    "邓又阝权木又村木寸板木反枪木仓校木交桥木乔梅木每柏木白松木公样木羊相木目机木几材木才杜木土标木示根木艮格木各朴木卜杉木彡"
    "叶口十吐口土吃口乞吗口马呢口尼吧口巴听口斤唱口昌味口未吹口欠呼口乎和禾口知矢口鸣口鸟眼目艮睡目垂时日寸昨日乍晴日青晚日免"
    "映日央暗日音昭日召旺日王阳阝日阴阝月队阝人院阝完防阝方阵阝车陈阝东际阝示陆阝击限阝艮邻令阝郊交阝邮由阝都者阝地土也坏土不"
    "块土夬坦土旦城土成址土止坟土文坑土亢坡土皮灯火丁炸火乍炮火包烟火因灿火山烂火兰炒火少肚月土肥月巴胜月生胆月旦胡古月期其月"
    "歌哥欠欧区欠政正攵放方攵故古攵效交攵教孝攵敌舌攵数娄攵牧牛攵败贝攵改己攵财贝才购贝勾贩贝反账贝长贱贝戋则贝刂刑开刂刚冈刂"
    "创仓刂利禾刂刻亥刂到至刂判半刂列歹刂刘文刂秋禾火秒禾少种禾中私禾厶程禾呈税禾兑科禾斗租禾且积禾只移禾多社礻土神礻申祖礻且"
    "视礻见祝礻兄饭饣反饮饣欠馆饣官饿饣我饱饣包独犭虫狗犭句猫犭苗狼犭良猪犭者情忄青忙忄亡快忄夬怕忄白性忄生恨忄艮怀忄不悟忄吾"
    "忆忄乙理王里玩王元现王见球王求珠王朱张弓长强弓虽弘弓厶驶马史驻马主骗马扁骑马奇群君羊研石开码石马破石皮矿石广砖石专料米斗"
    "粮米良精米青粉米分粒米立短矢豆联耳关职耳只取耳又聪耳总航舟亢野里予形开彡彩采彡影景彡静青争鲜鱼羊斯其斤新亲斤外夕卜顶丁页"
    "顺川页颂公页领令页预予页颜彦页项工页须彡页额客页颗果页瓶并瓦魂云鬼魄白鬼鸭甲鸟鹅我鸟鸿江鸟雅牙隹辉光军";

using Parts = std::vector<std::pair<char32_t, std::u32string>>;

Parts parts_by_character() {
    Parts parts;
    const auto length = static_cast<std::int32_t>(triples.size());
    for (std::int32_t i = 0; i < length;) {
        std::u32string triple;
        for (int k = 0; k < 3; ++k) {
            UChar32 character = 0;
            U8_NEXT_UNSAFE(triples.data(), i, character);
            triple += static_cast<char32_t>(character);
        }
        parts.emplace_back(triple[0], triple.substr(1));
    }
    std::sort(parts.begin(), parts.end());
    return parts;
}

}  // namespace

std::u32string_view han_parts(char32_t character) {
    static const Parts parts = parts_by_character();
    const auto found = std::lower_bound(parts.begin(), parts.end(), character, [](const auto& one, char32_t wanted) { return one.first < wanted; });
    return found == parts.end() || found->first != character ? std::u32string_view() : std::u32string_view(found->second);
}

}  // namespace unveil
