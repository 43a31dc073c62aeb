package text

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

var chinese = words{
	stop: "。", gap: "", colon: "：", why: "原因：",
	polish: func(line string) string { return needlessSpace.ReplaceAllString(line, "$1$2$3$4") },

	utc: "%s UTC", utcAndHere: "%s UTC（本地 %s）",
	at: "%s", on: "%s", hint: "，%s后", in: " %s后", soon: "近期",
	late: "延迟送达：以下是 %s 的消息。",
	date: func(t time.Time) string {
		return fmt.Sprintf("%d月%d日周%s", t.Month(), t.Day(), weekdays[t.Weekday()])
	},
	dateWithYear: func(t time.Time) string { return fmt.Sprintf("%d年%d月%d日", t.Year(), t.Month(), t.Day()) },
	span:         chineseSpan,

	theServer: "服务器", thePool: "账号池", aProfile: "某个账号", theProfile: "该账号",
	anotherProfile: "另一个账号", aPaidProfile: "按量付费账号", anAccount: "有账号", oneOfThem: "其中一个账号",
	ofAgent: "（agent %s）", ofProvider: " %s ",

	low: "%s 额度即将用完", spent: "%s 额度已用完", recovered: "%s 已恢复可用", loginRequired: "%s 需要重新登录",
	expires: "%s 的登录将于%s过期", expiresAt: "过期时间：%s。",
	afterwards: "过期后 OpenClaw 将跳过该账号。", renew: "请在此之前续期",
	resets: "额度重置：%s。", back: "恢复时间：%s。", backUnknown: "恢复时间未知。",
	looking: "ocwatch 会持续检查。", nothingToDo: "无需处理。", notUrgent: "只要还有其他账号可用，就不必着急。",
	pay: "请到服务商处充值或提高限额。",

	switched: "%s 现在使用 %s。", switchedFrom: "%s 已从 %[3]s 切换到 %[2]s。",
	paid: "%s 现在使用 %s，按量计费。", poolBack: "%s 已恢复：%s 可以继续使用。",
	firstFree: "最早恢复的订阅账号：%s。", backFromPaid: "有订阅账号恢复后会自动切回。",
	runsDry:     "%s 预计约 %s额度全部用完。",
	freeRunsDry: "%s 的订阅账号预计约 %s额度全部用完。",
	gapOf:       "中断约 %s。", paidNext: "在此期间由 %s 提供服务，按量计费。",
	addAccount: "请在此之前再登录一个还有额度的账号",
	everyOut:   "所有%s账号%s均不可用",
	out: [ailments]outWords{
		isSpent:   {"唯一的%s账号%s额度已用完", "%s额度全部用完。", "%d 个额度用完", "额度已用完"},
		isDead:    {"唯一的%s账号%s需要重新登录", "%s全部需要重新登录。", "%d 个需要重新登录", "需要重新登录"},
		isShunned: {"唯一的%s账号%s因出错被 OpenClaw 暂停使用", "%s因出错全部被 OpenClaw 暂停使用。", "%d 个因出错被 OpenClaw 暂停使用", "因出错被 OpenClaw 暂停使用"},
	},
	all:   func(n int, provider, agent string) string { return fmt.Sprintf("%d 个%s账号%s", n, provider, agent) },
	mixed: "%s全部不可用：%s。", comma: "，",
	reminder:  func(headline string) string { return "提醒：" + headline },
	firstBack: "最早恢复：%s，%s。", byItself: "无需处理，到时会自动恢复。",
	paused: "ocwatch 已暂停，不会自动发起登录；恢复请运行 ocwatch resume。",
	until:  "，至 %s", more: "……另有 %d 个",

	loginWaits: "一次新的%s登录正等待你批准", loginFailed: "%s登录失败", loginDone: "%s登录完成，账号 %s",
	logIn: "请登录", loginAs: "请重新登录 %s", loginAgain: "请重新登录", loginOther: "请用还有额度的账号登录",
	loginEither: "请重新登录 %s，或换一个还有额度的账号登录", giveKey: "请为 OpenClaw 换一个 API key", tryAgain: "请重试", tryCode: "请用新的验证码重试",
	code: "验证码：", codeUntil: "验证码，%s 前有效：", linkUntil: "链接有效期至 %s。",
	paste: "登录后浏览器会停在一个打不开的页面（%s/…），看起来像出错，其实正常：" +
		"请复制该页的完整地址，在 %s 上运行：",
	address: "地址", run: "在 %s 上运行：", orRun: "或在 %s 上运行：", orChat: "或私聊 OpenClaw 发送：",
	otherBrowser: "请用无痕窗口登录，或先在服务商网站退出旧账号。",

	restarted: "%s 上的 OpenClaw 网关已重启，运行正常", up: "%s 上的 OpenClaw 网关已恢复", down: "%s 上的 OpenClaw 网关需要检查",
	look:    "要查看状态，在 %s 上运行：",
	started: "ocwatch 已在 %s 上开始监视。", stopped: "%s 上的 ocwatch 已停止，目前无人监视额度。",
	seesAgain: "%s 上的 ocwatch 已恢复监视", test: "这是 %s 上的 ocwatch 发出的测试消息，没有发生任何事。",
	blind: "ocwatch 读不到任何%s账号的额度", unchanged: "恢复之前不会做任何更改。",
	lookAtNetwork: "如果持续如此，请检查 %s 的网络。",

	reason: func(clause string) string { return understand(clause).text },
}

// needlessSpace is a space beside a character that has room around it, or
// between two Chinese ones: names of ours and of others stand in one place.
var needlessSpace = regexp.MustCompile(`([（）：，；。\p{Han}]) +([（）：，；。\p{Han}])|([（）：，；。]) +| +([（）：，；。])`)

var weekdays = [...]string{"日", "一", "二", "三", "四", "五", "六"}

func chineseSpan(s span) string {
	var parts []string
	if s.days > 0 {
		parts = append(parts, fmt.Sprintf("%d 天", s.days))
	}
	if s.hours > 0 {
		parts = append(parts, fmt.Sprintf("%d 小时", s.hours))
	}
	switch {
	case s.minutes > 0 && len(parts) > 0:
		parts = append(parts, fmt.Sprintf("%d 分", s.minutes))
	case s.minutes > 0:
		parts = append(parts, fmt.Sprintf("%d 分钟", s.minutes))
	}
	return strings.Join(parts, " ")
}
