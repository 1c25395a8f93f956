"""What settles characters with several readings where no dictionary phrase does: the table.

One entry after another, "长=chang2 ; zhang3 >得 出 ; ...": the usual reading, then others with the neighbours
that call for them. `>` lists what may come next and `<` what may come before, either of which is enough, and
both must keep to the borders of words (好 before 学 is hao4, but not before 学生). After "&" both sides must
match, anywhere. #数 stands for numerals, #人 for persons, #称 for titles and given names after a surname.
"""

GROUPS = {
    "#数": "一 二 三 四 五 六 七 八 九 十 百 千 万 两 几 半 多 这 那 每 数",
    "#人": "我 你 他 她 它 们 咱 您 谁",
    "#称": "先生 女士 小姐 老师 教授 经理 医生 某 家 局长 总 主任 师傅",
}

TABLE = """
长=chang2 ; zhang3 >长了 得 出 成 满 在 着 大 高了 胖 进 一 个 >了一 了个 了两 了几 了颗 了胡 了痘 ; zhang3 <校 家 成
生 局 部
重=zhong4 ; chong2 >来 做 写 建 启 装 返 申 读 修 看 听 组 提 审 <一 两 双
得=de5 ; dei3 & <也 就 都 还 总 必 又 可 非 准 只 >走 去 来 回 想 看 说 给 把 让 先 再 找 问 做 用 买 小心 注意 学 靠
有 要 在 花 等 听 跟 好好 快 马上 赶 多 自己 ; dei3 & <#人 >走 去 来 回 想 看 说 给 把 让 先 再 找 问 做 用 买 小心
注意 学 靠 有 要 在 花 等 听 跟 好好 快 马上 赶 多 自己 ; de2 & <#人 也 就 都 没 不 曾 已 才 >了 过 到 奖 分 第 一 两
冠 病 罪 出 意 手 胜
地=de5 ; di4 & <#数 各 本 某 ; di4 <草 空 场 土 高 平 湿 扫 拖 擦 满 遍 种 落 着 各 本 外 当 此 某 天 下 在 的 ; di4
>上 下 里 中 面 方 板 球 区 图 铁
的=de5 ; di1 & <打 >去 回 来 到 走 了=le5 ; liao3 <不 ; liao3 >然 结 断 着=zhe5 ; zhao2 <睡 ; zhao2 & <点 找 够 碰 猜
>了 ; zhao2 >火 凉 急 迷 魔 ; zhuo2 & <穿 衣 >讲究 打扮 朴素 得体 整洁 时尚 华丽 随意 ; zhuo2 >手 陆 色 装 力 眼 想 重
还=hai2 ; huan2 >书 钱 债 款 账 贷 清 给 我钱 你钱 他钱 回来 车 原 本 愿 手 价 乡 俗 击 礼 <归 偿 送 返 退 奉 交 要 没
已 该
都=dou1 为=wei4 ; wei2 <以 成 称 作 视 认 化 变 最 极 更 尤 不 难 分 译 改 定 设 选 当 沦 列 约 均 皆 高 长 宽 重 率
度 量 价 额 号 码 果 ; wei2 >人 期 止 主 首 难 时 伍 例 准 生 #数 零 负
处=chu3 ; chu4 <到 各 何 此 别 好 坏 用 益 害 长 短 远 近 高 深 随 四 暗 一 两 几 多 这 那 每 三 五 十 住 ; chu4 >处
好=hao3 ; hao4 >学 奇 客 斗 胜 色 动 吃懒 战 <爱 喜 嗜 癖
乐=le4 ; yue4 <音 奏 器 声 民 配 管 弦 军 国 ; yue4 >器 队 曲 谱 坛 团 章 手 师
传=chuan2 ; zhuan4 <自 外 列 别 水浒 左 小 评 正 本 ; zhuan4 >记
弹=tan2 ; dan4 <子 炸 导 炮 飞 氢 核 中 枪 榴 手榴 流 燃烧 穿甲 鱼 信号 ; dan4 >药 道 头 壳 夹 片 坑
朝=chao2 ; zhao1 <今 明 一 >气 霞 夕 露 三 思 藏=cang2 ; zang4 <西 宝 道 大 青 三 地 川 滇 ; zang4 >族 语 文 历 医 羚
獒 红 传 民 区 香 历
调=diao4 ; tiao2 & >大 小 高 低 快 慢 亮 暗 ; tiao2 >成 好 节 整 味 料 皮 解 停 试 和 配 理 戏 侃 控 制 教 匀 高 低
大 小 快 慢 到 色 音 温 <空 协 微 失
烹 下 上 ; diao4 <声 音 语 曲 腔 格 情 单 色 基 论 步
干=gan4 ; gan1 >净 燥 杯 旱 脆 扰 涉 涸 粮 果 枯 冰 洗 瘪 巴 裂 电池 货 爹 妈 着急 了这杯 了一杯 湿 <饼 晒 烘 风 擦 吹
晾 口 葡萄 豆腐 烤 肉 白 未 洗
假=jia3 ; jia4 <放 请 休 病 事 产 寒 暑 年 长 度 婚 丧 销 准 给 天 ; jia4 >期 日 条
间=jian1 ; jian4 >隔 断 接 谍 歇 或 距 或 苗 <离 反 无
将=jiang1 ; jiang4 <大 上 中 少 名 老 虎 武 干 战 爱 健 闯 猛 小 主 ; jiang4 >士 领 帅 令 校 才
角=jiao3 ; jue2 <主 配 名 丑 旦 生 男主 女主 坤 ; jue2 >色 逐 斗
觉=jue2 ; jiao4 <睡 午 懒 一 这 个 场 好 空=kong1 ; kong4 <有 没 抽 填 得 留 闲 补 亏 ; kong4 >白 缺 闲 地 隙 格 余 出
着 位 额
量=liang4 ; liang2 >一量 体温 血压 尺寸 身高 体重 了 过 一下 具 杯 <测 丈 衡 估 思 打 商
落=luo4 ; la4 <丢三 丢下 >下了课 在家 了东西 了一 掉了字 ; lao4 >枕 色 炕
没=mei2 ; mo4 <淹 沉 埋 出 吞 隐 湮 覆 泯 神出鬼 没水 ; mo4 >收 落 入 齿 顶 过膝 过头
难=nan2 ; nan4 <灾 苦 遇 逃 患 落 大 空 海 矿 避 罹 蒙 殉 国 危 劫 发 救 死 ; nan4 >民 友 兄难弟 胞 侨
强=qiang2 ; qiang3 >迫 求 逼 人所难 词夺理 颜 忍 辩 笑 <勉 牵 ; jiang4 <倔 嘴
切=qie4 ; qie1 >菜 成 开 片 块 肉 割 断 换 除 丝 丁 糕 面 碎 蛋糕 西瓜 水果 了 一刀 好 一下 葱 土豆 苹果 黄瓜 <刀 正
剖 横
曲=qu3 ; qu1 <弯 扭 卷 歪 委 蜷 褶 河 屈 ; qu1 >折 线 解 直 面 阜 别 径
散=san4 ; san3 <松 懒 闲 披 零 涣 拆 胃 丸 ; san3 >文 装 漫 架 户 沙 光 乱 兵 养 客 打 落在
扇=shan4 ; shan1 >风 了 动 他 你 我 她 着 耳光 巴掌 一巴掌 少=shao3 ; shao4 >年 女 儿 妇 爷 林 壮 将 校 先队 奶奶 东家
侠 <年 老 阔 恶
盛=sheng4 ; cheng2 >饭 汤 水 菜 满 了 放 一碗 在 着 满了 面 粥 入 器
数=shu4 ; shu3 & >了 着 过 一 二 三 两 几 清 到 出 完 不 数 钱 得 落 九 ; shu3 & <要 来 再 会 能 去 从 在 他 她 你
我们 先 可 重新 倒 细 屈指可 不可胜 如 历
似=si4 ; shi4 >的 提=ti2 ; di1 >防 挑=tiao1 ; tiao3 >战 起 拨 衅 逗 灯 唆 大梁 动 头 明 明了 事
吐=tu3 ; tu4 <呕 上 想 要 晕 孕 喝 恶心得 >了 出来 血 了一 得 奶 泻
系=xi4 ; ji4 >鞋带 鞋 领带 围巾 扣 上 好 紧 着 安全带 带 蝴蝶结 腰带 扣子 绳 红领巾 了个 个结
相=xiang1 ; xiang4 <照 真 长 面 亮 宰 丞 首 凶 扮 福 洋 破 变 色 站 本 皮 月 月 可怜 吃 睡 坐 ; xiang4 >片 机 册 貌 声
扑 面 亲时
兴=xing1 ; xing4 <高 尽 助 败 扫 雅 即 酒 豪 余 游 诗 意 ; xing4 >趣 致 高采烈 冲冲 奋头 味
应=ying4 ; ying1 >该 当 有 届 允 得 分 付款 收 付的 由 用尽用 有尽有 是 为 予 按 以 在 及时 向 <理 相 罪有 一 本 都 也
均 不 就 ; ying4 >对 付 用 聘 邀 酬 急 战 试 验 变 声 和 景 答 诺
与=yu3 ; yu4 <参 ; yu4 >会 闻 赛 载=zai4 ; zai3 <记 千 三年五 一年半 转 登 刊 连 半 年 十 百 ; zai4 >重 客 货 歌 体 人
着 满 入 荷
扎=zha1 ; zha2 <挣 垂死挣 ; za1 <包 捆 >辫子 头发 马尾 起来 紧 个 着 成 染 束
占=zhan4 ; zhan1 >卜 星 卦 梦 算 涨=zhang3 ; zhang4 >红 满 得通红 痛 大了 <头昏脑 膨 肿 正=zheng4 ; zheng1 >月 旦 <新
只=zhi3 ; zhi1 & <#数 ; zhi1 <船 舰 整 ; zhi1 >身 言 手遮天 字
中=zhong1 ; zhong4 >奖 毒 暑 计 弹 标 风 伤 意 招 枪 邪 箭 了 彩 靶 的奖 签 举 <打 击 猜 看 命 射 考 说 押 相 选 切 言
砸 戳
种=zhong3 ; zhong4 >在 菜 树 花 地 了 植 田 草 下 着 瓜 豆 过 庄稼 粮 满 活 出 水稻 玉米 果 茶 葡萄 西瓜 <耕 播 栽 套
接 轮 ; zhong3 & <#数 各 某 品 物 何 此 一
转=zhuan3 ; zhuan4 <打 团团 公 自 地球 空 晕头 绕 ; zhuan4 >圈 了一圈 动 盘 轮 悠 速 来转去 椅 得 个不停 几圈 一圈
两圈 不停 着圈
作=zuo4 ; zuo1 >坊 背=bei4 ; bei1 >着 包 起 负 上了 在身 黑锅 不动 书包 孩子 她 他 我 了个 个 枪 行囊
差=cha4 ; chai1 <出 公 钦 信 邮 当 官 美 听 ; chai1 >事 遣 使 旅 役 人 旅费 ; cha1 >别 距 异 额 价 错 强人 池 值 <误
偏 温 时 反 落 顺 逆 位 视 利 方 相 级 色 补 ; ci1 <参
称=cheng1 ; chen4 >职 心 身 意 <对 相 匀 冲=chong1 ; chong4 >着 劲 压 床 他喊 我笑 我来 他 <很 太 真 味儿
担=dan1 ; dan4 <重 扁 挑 负 一 两 货郎 ; dan4 >子 当=dang1 ; dang4 >作 成 真 铺 天 晚 年 日 回事 票 <上 恰 得 妥 适 典
不 家 勾 稳 ; dang1 <应 相 理 每 正 敢 担 充
倒=dao4 ; dao3 <摔 打 跌 推 绊 病 累 吓 晕 倾 颠 滑 撞 压 拉 扳 击 昏 卧 东 放 难 倾 ; dao3 >下 闭 塌 霉 台 卖 班 戈
地 车 手 了 在 胃口 腾
钉=ding1 ; ding4 >在 上 好 住 进 着 扣子 了一 缝=feng4 ; feng2 >补 制 合 纫 衣服 了 上 好 衣 一针 针 被子 扣子
给=gei3 ; ji3 <供 补 配 自 >予 养 更=geng4 ; geng1 >改 换 衣 年期 迭 替 <变 三 五 打 自力 二 半夜三
供=gong1 ; gong4 >奉 认 词 品 职 桌 出 述 称 佛 <上 口 逼 招 翻 串
冠=guan1 ; guan4 >军 以 名 亚军 绝 <夺 卫冕 三连 三 勇夺 弱 争 两连 连 亚
号=hao4 ; hao2 >叫 啕 哭 <哀 怒 呼 喝=he1 ; he4 >彩 令 道 斥 问 止 一声 住 <大 怒 断 厉声 吆 呼 暴 高声
和=he2 ; huo2 <暖 软 >泥 ; huo4 >稀泥 ; hu2 >了一把 ; he4 <附 一唱一 应 唱 曲高 >诗
荷=he2 ; he4 <负 电 载 重 >枪 载 重 哄=hong3 ; hong1 >堂 动 传 抢 笑 抬 <闹 一 ; hong4 <起 一 >而散
会=hui4 ; kuai4 >计 稽 几=ji3 ; ji1 >乎 率 近 <茶 窗明 济=ji4 ; ji3 >南 宁 济 <人才 夹=jia1 ; jia2 >袄 衣 被 ; ga1
>肢窝 监=jian1 ; jian4 <国子 太 中 学 钦天 降=jiang4 ; xiang2 <投 诱 劝 受 归 >服 龙 伏 妖 将 魔 兵 汉
教=jiao1 ; jiao4 >师 育 室 材 授 学 训 导 练 程 徒 会 堂 堂 皇 科书 职 条 派 案 研 义 务 改 廷 龄 唆 养 <宗 任 调 请
家 管 佛 基督 道 助 支 求 执 信 说 高 成 赐 受 胎 早 邪 天主 文
结=jie2 ; jie1 >实 巴 满 果子 出果 了果 了很多果 解=jie3 ; xie4 <姓 浑身 浑 >缙 珍 数 ; jie4 >送 元 <押 尽=jin4 ; jin3
>管 快 量 早 可能 先 让 着 头 劲=jin4 ; jing4 <强 刚 苍 疾风知 雄 >旅 敌 松 爆 歌 舞 射 草
禁=jin4 ; jin1 >得起 不住 不起 受 得住 穿 用 脏 <不 自 难 情不自 弱不 忍俊不
卷=juan3 ; juan4 <试 答 考 问 开 交 阅 画 案 书 上 下 一 二 三 第一 手不释 >宗 帙 面 尾 ; juan2 >曲
看=kan4 ; kan1 >守 护 管 家 门 押 孩子 病人 令=ling4 ; ling2 >狐 露=lu4 ; lou4 >馅 脸 面 头 怯 一手 了一手 了馅 相 富
底 率=lv4 ; shuai4 >领 先 队 兵 真 众 直 军 性 团 部 土 由 性 然 <表 直 轻 草 坦 真 粗
论=lun4 ; lun2 >语 闷=men4 ; men1 >热 声 头 着 饭 <沉 模=mo2 ; mu2 >样 具 子 板 <装 铜 字 一 磨=mo2 ; mo4 >坊 盘 叽 面
豆腐 咖啡 粉 <推 石 拉 电 宁=ning2 ; ning4 >可 愿 肯 死不 缺毋滥 泡=pao4 ; pao1 <一 >桐 货 片=pian4 ; pian1 >子 儿 <唱
影 相 铺=pu1 ; pu4 <店 床 卧 上 下 中 当 商 药 十 杂货 肉 >位 面 子
奇=qi2 ; ji1 >数 偶 翘=qiao4 ; qiao2 >首 楚 企 <翘 连 撒=sa1 ; sa3 >种 播 上 在 盐 水 胡椒 落 <喷 抛 播 塞=sai1 ; se4
<闭 堵 阻 梗 充 搪 淤 语 栓 堰 ; sai4 <边 要 出 关 >外 北 上 翁 尔 浦
丧=sang4 ; sang1 >事 礼 葬 服 钟 家 尸 仪 偶 假 <奔 吊 治 服 守 发 号 出 哭 报
舍=she3 ; she4 <宿 校 房 寒 农 茅 退避三 旅 邻 鸡 猪 左邻右 斋 屋 打家劫 >友 弟 妹 监 利
省=sheng3 ; xing3 <反 自 内 深 归 不 猛 三 发人深 >悟 亲 察 视
刷=shua1 ; shua4 >白 遂=sui4 ; sui2 <半身不 通=tong1 ; tong4 <一 打了一 骂了一 说了一 同=tong2 ; tong4 <胡 旋=xuan2 ;
xuan4 >风 涡 即 血=xue4 ; xie3 <流了 吐了 出了 点 滴 了 >淋淋 晕子 糊糊 压=ya1 ; ya4 >根 咽=yan4 ; yan1 >喉 部 炎 <鼻
口 ; ye4 <哽 呜 幽 悲 要=yao4 ; yao1 >求 挟 么 功 击 <邀 饮=yin3 ; yin4 >马 牛 炸=zha4 ; zha2 >鸡 鱼 薯 酱 油 糕 串
春卷 丸 排 虾 油条 肉 豆 藕 洋葱 臭豆腐 物 薯条 猪排 馒头 <油 煎 酥 软 干 现
折=zhe2 ; she2 >本 了 耗 秤 <骨头 亏 腿 打 胳膊 椅子腿 ; zhe1 >腾 跟头
症=zheng4 ; zheng1 >结 挣=zheng4 ; zheng1 >扎 钻=zuan1 ; zuan4 >石 头 戒 机 床 井队 <电 风 冲击 薄=bo2 ; bao2 <很 太
厚 单 变 切 片 更 真 好 较 越 又 得 有点 最 不 >被 饼 片 纸 衣 的 了 冰 脆 一点 雪 ; bo4 >荷
剥=bo1 ; bao1 >皮 壳 开 蒜 花生 了 瓜子 橘子 鸡蛋 豆 掉 去 下
便=bian4 ; pian2 >宜 参=can1 ; shen1 <人 党 海 西洋 丹 玄 苦 红 ; cen1 >差 车=che1 ; ju1 <丢 保 >马炮 乘=cheng2 ;
sheng4 <大 小 千 史 万 上 下 一 >之国 大=da4 ; dai4 >夫 王叫 斗=dou4 ; dou3 <北 泰 漏 星 一 烟 熨 米 车 八 车载 南
翻筋 才高八 五 >笠 篷 胆 室 牛 星 转星移 拱 量
恶=e4 ; wu4 <厌 可 憎 深 好 痛 嫌 交 ; e3 >心 发=fa1 ; fa4 <头 白 长 短 理 毛 美 染 烫 秀 黑 金 卷 假 护 洗 脱 鹤 剪
毫 怒 束 披 结 削 ; fa4 >型 廊 丝 卡 夹 际 髻 小 胶 蜡
分=fen1 ; fen4 <水 过 缘 本 成 身 养 天 名 安 情 盐 糖 知识 充 辈 福 部 职 恰如其 非 应 划 ; fen4 >量 子 内 外 之想 洪
否=fou3 ; pi3 >极 泰 骨=gu3 ; gu1 >碌 朵 汗=han4 ; han2 <可 成吉思 大 >国 横=heng2 ; heng4 <蛮 骄 专 强 凶 >财 祸 死
事 划=hua4 ; hua2 >船 算 拳 水 桨 伤 破 过 火柴 了一 一道 开 燃 着 动 <滑 刮 指手
晃=huang4 ; huang3 >眼 一 <明 亮 虚 闪 一 混=hun4 ; hun2 >蛋 水 豁=huo4 ; huo1 >出去 口 嘴 开 了 奔=ben1 ; ben4 <投 直
>着 向 头 四十 五十 小康 这 那 杆=gan1 ; gan3 <笔 枪 秤 杠 烟 拉 一 电线 ; gan1 <旗 标 桅 栏 球 电线 木
累=lei4 ; lei3 <积 日积月 连 牵 罪行 成 拖 亏 >计 积 加 及 赘 进 次 年 月 ; lei2 >累 赘
凉=liang2 ; liang4 >一凉 笼=long2 ; long3 >罩 络 统 <牢 埋=mai2 ; man2 >怨 脉=mai4 ; mo4 >脉 <含情 温情 蒙=meng2 ;
meng1 >人 骗 对了 中 头转向 蒙亮 圈 <发 瞎 ; meng3 >古 族 语 文 牛 <内 外
秘=mi4 ; bi4 >鲁 <便 抹=mo3 ; ma1 >布 桌 下脸 眼 不开 ; mo4 <转弯 >墙 不开 角 拗=ao4 ; niu4 >不过 <执 倔 炮=pao4 ;
pao2 >制 烙 屏=ping2 ; bing3 >气 住 息 退 除 弃 仆=pu2 ; pu1 <前 >倒 曝=pu4 ; bao4 >光 亲=qin1 ; qing4 >家 圈=quan1 ;
juan4 <羊 猪 牛 马 出 >养猪 舍 ; juan1 >起来 在家 任=ren4 ; ren2 <姓 >丘 县 弼 色=se4 ; shai3 <掉 退 >子 煞=sha1 ;
sha4 >费 白 有 是 气 <凶 恶 急 厦=sha4 ; xia4 >门 大 航 什=shen2 ; shi2 >锦 物 叶 <布 克 喀 塔 石=shi2 ; dan4 <一 两
万 百 千 五 十 二 >米 粮 谷 弓
识=shi2 ; zhi4 <博闻强 标 款 食=shi2 ; si4 <箪 说=shuo1 ; shui4 <游 >客 服 宿=su4 ; xiu3 <一 两 整 住了一 半 ; xiu4
<星 二十八 拓=tuo4 ; ta4 >片 印 本 碑 鲜=xian1 ; xian3 <朝 >为 有 少 见 纤=xian1 ; qian4 >夫 绳 <拉 校=xiao4 ; jiao4
>对 正 验 准 订 阅 勘 稿 样 削=xue1 ; xiao1 >皮 苹果 铅笔 了 掉 面 好 成 球 梨 土豆 <刀 切
殷=yin1 ; yan1 >红 约=yue1 ; yao1 >一约 晕=yun1 ; yun4 >车 船 机 血 针 染 <日 月 红 光 粘=zhan1 ; nian2 >稠 液 度 性
米 爪=zhao3 ; zhua3 >子 儿 <猫 狗 鸡 鸭 凤 曾=ceng2 ; zeng1 >#称 国 祖 孙 子 志伟 巩 参 >侯 <姓 小 老
单=dan1 ; shan4 <姓 >#称 县 雄信 ; chan2 >于 仇=chou2 ; qiu2 <姓 >#称 英 区=qu1 ; ou1 <姓 >#称 查=cha2 ; zha1 <姓
>良镛 #称 盖=gai4 ; ge3 <姓 >聂 华=hua2 ; hua4 <姓 >山 佗 罗庚 陀 宛=wan3 ; yuan1 <大 尉=wei4 ; yu4 >迟 覃=tan2 ; qin2
<姓 朴=pu3 ; piao2 <姓 >槿惠 正熙 智星 ; po4 >树 >刀 万=wan4 ; mo4 >俟 葛=ge2 ; ge3 <诸 姓 哪=na3 ; ne2 >吒 谁=shei2
吧=ba5 ; ba1 <酒 网 贴 书 水 氧 迪 咖啡 >台 女 主 吗=ma5 ; ma3 >啡 呢=ne5 ; ni2 >喃 绒 子 <毛 呀=ya5 ; ya1 >的一 <哎
咳=ke2 ; hai1 >! 喷=pen1 ; pen4 >香 缪=miu4 ; mou2 <绸 熨=yun4 ; yu4 >贴 轧=ya4 ; zha2 >钢 漂=piao1 ; piao3 >白 洗 染
; piao4 >亮 蔓=man4 ; wan4 <藤 瓜 压 壳=ke2 ; qiao4 <地 躯 金蝉脱 甲 咋=za3 阿=a1 ; e1 >谀 胶 弥陀 房宫 呛=qiang1 ;
qiang4 >人 鼻 得 畜=chu4 ; xu4 >牧 养 产 <六 嚼=jiao2 ; jue2 <咀 臭=chou4 ; xiu4 <乳 无色无 铜 伺=si4 ; ci4 >候 咖=ka1
; ga1 >喱 伽=jia1 ; ga1 <>马 玛 绿=lv4 ; lu4 >林 营 尺=chi3 ; che3 <工 叨=dao1 ; tao1 >扰 褪=tui4 ; tun4 >下 囤=tun2 ;
dun4 <粮 创=chuang4 ; chuang1 >伤 口 面 可贴 痛 <重 受 沓=ta4 ; da2 <一 脏=zang1 ; zang4 <内 心 肝 肾 五 脾 >器 腑
俩=lia3 ; liang3 <伎 辟=pi4 ; bi4 <复 大 >谷 邪 呗=bei5 哩=li5 喽=lou5 嘛=ma5 么=me5 们=men5
"""
