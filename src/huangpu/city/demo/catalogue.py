"""What the demo city is made of: districts, industries with what they buy, marketplaces, names. All invented, but for the
districts of Shanghai and the six manufacturing industries that the founding document names."""

from __future__ import annotations

from dataclasses import dataclass

DISTRICTS: dict[str, tuple[str, str, str]] = {  # code: Chinese, English, GB/T 2260 division
    "pudong": ("浦东新区", "Pudong", "310115"),
    "minhang": ("闵行区", "Minhang", "310112"),
    "baoshan": ("宝山区", "Baoshan", "310113"),
    "jiading": ("嘉定区", "Jiading", "310114"),
    "jinshan": ("金山区", "Jinshan", "310116"),
    "songjiang": ("松江区", "Songjiang", "310117"),
    "qingpu": ("青浦区", "Qingpu", "310118"),
    "fengxian": ("奉贤区", "Fengxian", "310120"),
    "huangpu": ("黄浦区", "Huangpu", "310101"),
    "xuhui": ("徐汇区", "Xuhui", "310104"),
    "yangpu": ("杨浦区", "Yangpu", "310110"),
    "putuo": ("普陀区", "Putuo", "310107"),
}


@dataclass(frozen=True)
class Good:
    """Something that is bought: names, Rec 20 unit, a usual price in whole yuan a unit, a usual quantity."""

    zh: str
    en: str
    unit: str
    price: int
    quantity: int


@dataclass(frozen=True)
class Industry:
    """One of the document's six manufacturing industries."""

    code: str
    zh: str
    en: str
    maker: tuple[str, str]  # how its buyers are called
    seller: tuple[str, str]  # and those who supply it
    goods: tuple[Good, ...]


INDUSTRIES = (
    Industry("electronics", "电子信息产品", "Electronics", ("电子", "Electronics"), ("元器件", "Components"), (
        Good("多层陶瓷电容 0402 1µF", "MLCC 0402 1 µF, reels", "C62", 4, 500_000),
        Good("FR-4 覆铜板 1.6 mm", "FR-4 laminate 1.6 mm", "MTK", 118, 2_400),
        Good("无铅焊锡丝 SAC305", "SAC305 solder wire", "KGM", 212, 900),
        Good("工业触摸屏 10.1 英寸", "Industrial touch panel 10.1 in", "C62", 386, 1_200),
    )),
    Industry("automobiles", "汽车", "Automobiles", ("汽车", "Motors"), ("汽配", "Auto Parts"), (
        Good("前轮毂轴承单元", "Front wheel hub bearing unit", "C62", 164, 8_000),
        Good("安全玻璃 前挡", "Laminated windscreen", "C62", 318, 3_500),
        Good("线束总成 仪表板", "Dashboard wiring harness", "SET", 742, 1_600),
        Good("铝合金轮圈 17 英寸", "Alloy wheel 17 in", "C62", 405, 4_000),
    )),
    Industry("chemicals", "石油化工及精细化工", "Petro- and fine chemicals", ("石化", "Petrochemical"), ("化工", "Chemicals"), (
        Good("工业级甲醇 99.9 %", "Methanol, industrial 99.9 %", "TNE", 2_480, 320),
        Good("高密度聚乙烯 HDPE 5000S", "HDPE 5000S", "TNE", 8_350, 180),
        Good("钛白粉 R-902", "Titanium dioxide R-902", "TNE", 16_200, 60),
        Good("离子交换树脂", "Ion exchange resin", "MTQ", 9_800, 45),
    )),
    Industry("steel", "精品钢材", "Fine steel", ("特钢", "Special Steel"), ("钢铁", "Steel"), (
        Good("热轧卷板 Q235B 4.75 mm", "Hot-rolled coil Q235B 4.75 mm", "TNE", 3_820, 400),
        Good("冷轧薄板 DC01 1.0 mm", "Cold-rolled sheet DC01 1.0 mm", "TNE", 4_560, 260),
        Good("螺纹钢 HRB400E Φ20", "Rebar HRB400E Φ20", "TNE", 3_640, 600),
        Good("不锈钢板 304 2B", "Stainless plate 304 2B", "TNE", 14_900, 80),
    )),
    Industry("equipment", "成套设备", "Complete equipment", ("重工", "Heavy Industries"), ("机电", "Electromechanics"), (
        Good("三相异步电机 55 kW", "Three-phase motor 55 kW", "C62", 7_450, 60),
        Good("高压电缆 YJV 3×95", "HV cable YJV 3×95", "MTR", 268, 6_000),
        Good("减速机 ZLY 280", "Gear reducer ZLY 280", "C62", 18_600, 24),
        Good("锅炉给水泵", "Boiler feed pump", "SET", 86_000, 6),
    )),
    Industry("biomedicine", "生物医药", "Biomedicine", ("药业", "Pharma"), ("生物", "Bio"), (
        Good("无菌培养袋 50 L", "Sterile culture bag 50 L", "C62", 640, 900),
        Good("层析填料 Protein A", "Protein A resin", "LTR", 68_000, 30),
        Good("冻干西林瓶 10 mL", "Lyophilisation vial 10 mL", "C62", 2, 800_000),
        Good("超低温冰箱 −86 °C", "Ultra-low freezer −86 °C", "C62", 39_500, 12),
    )),
)  # fmt: skip

GIVEN = (
    ("申江", "Shenjiang"), ("沪东", "Hudong"), ("浦汇", "Puhui"), ("联申", "Lianshen"), ("海宏", "Haihong"),
    ("瑞洋", "Ruiyang"), ("振华兴", "Zhenhuaxing"), ("金桥源", "Jinqiaoyuan"), ("吴淞", "Wusong"), ("东昌", "Dongchang"),
    ("宏图", "Hongtu"), ("恒力达", "Henglida"), ("永信", "Yongxin"), ("长兴岛", "Changxing"), ("天元", "Tianyuan"),
    ("和丰", "Hefeng"), ("鼎盛源", "Dingsheng"), ("凌云", "Lingyun"), ("世博源", "Shiboyuan"), ("五洋", "Wuyang"),
    ("兆丰", "Zhaofeng"), ("新航", "Xinhang"), ("大同江", "Datong"), ("启明", "Qiming"), ("安泰", "Antai"),
    ("润泽", "Runze"), ("万象", "Wanxiang"), ("中联", "Zhonglian"), ("百川", "Baichuan"), ("广润", "Guangrun"),
)  # fmt: skip


@dataclass(frozen=True)
class Market:
    """A marketplace of the demo city and whom it serves."""

    slug: str
    zh: str
    en: str
    tagline: tuple[str, str]
    colour: str
    fee_ppm: int
    industries: tuple[str, ...]


MARKETS = (
    Market("heshang", "和商采购网", "Heshang Procurement",
           ("制造业招标竞价采购平台", "Tenders and reverse auctions for manufacturers"),
           "#0b5c8a", 2_000, ("steel", "equipment")),
    Market("chelian", "车联供应链", "Chelian Supply Chain",
           ("汽车与电子零部件采购", "Parts for cars and electronics"), "#8a3b0b", 1_500, ("automobiles", "electronics")),
    Market("huaxin", "化芯医采", "Huaxin Chem & Bio",
           ("化工与生物医药采购", "Buying for chemistry and biomedicine"), "#2f6b3c", 2_500, ("chemicals", "biomedicine")),
)  # fmt: skip


@dataclass(frozen=True)
class Account:
    """Somebody who can be signed in as. `firm`: index of the organisation below, by role."""

    username: str
    zh: str
    en: str
    firm: str  # "buyer", "supplier1" … of the first marketplace; "operator", "city"
    roles: tuple[str, ...] = ()
    market_role: str = ""
    city_roles: tuple[str, ...] = ()


ACCOUNTS = (
    Account("lin", "林采购", "Lin, buyer", "buyer", ("buyer",)),
    Account("zhou", "周总", "Zhou, owner and approver", "buyer", ("owner",)),
    Account("qian", "钱财务", "Qian, finance", "buyer", ("finance",)),
    Account("cang", "仓库老何", "He, warehouse", "buyer", ("warehouse",)),
    Account("zhao", "赵销售", "Zhao, supplier", "supplier1", ("owner",)),
    Account("wu", "吴销售", "Wu, supplier", "supplier2", ("owner",)),
    Account("zheng", "郑销售", "Zheng, supplier", "supplier3", ("owner",)),
    Account("yun", "运营小云", "Yun, operator of the marketplace", "operator", ("owner",), "operator"),
    Account("zhong", "仲裁员老钟", "Zhong, arbiter", "operator", ("auditor",), "arbiter"),
    Account("guan", "市监小关", "Guan, regulator", "city", ("auditor",), "", ("regulator",)),
)
PASSWORD = "huangpu-demo-2010"
