package text

import (
	"slices"
	"strings"
)

// chineseStates are failover's states of a profile, within a reason.
var chineseStates = map[string]string{
	"available": "可用", "low": "额度偏低", "exhausted": "额度已用完", "dead": "登录失效", "unknown": "状态未知", "paid": "按量付费",
}

// chineseWindow names a window by its length.
func chineseWindow(name string) string {
	switch name {
	case "weekly":
		return "周额度"
	case "monthly":
		return "月额度"
	case "spend":
		return "消费限额"
	case "window":
		return "额度"
	}
	unit := map[string]string{"d": " 天额度", "h": " 小时额度", "m": " 分钟额度", "s": " 秒额度"}[name[len(name)-1:]]
	return strings.TrimRight(name, "dhms") + unit
}

// chineseLasted is how long an alarm lasted.
func chineseLasted(s string) string {
	return strings.NewReplacer("less than a minute", "不到 1 分钟", "min", "分钟", "h", "小时").Replace(s)
}

// phrases is the table of reasons. The first that matches counts.
var phrases = slices.Concat(quotaPhrases, loginPhrases)

// quotaPhrases are about quota, credentials and the gateway.
var quotaPhrases = []phrase{
	// What failover makes of the evidence about a profile.
	{english: "login required", chinese: "需要重新登录"},
	{english: "login revoked", chinese: "登录已被撤销"},
	{english: "usage cannot be read", chinese: "额度读不到"},
	{english: "quota spent", chinese: "额度已用完"},
	{english: "reset passed, not yet confirmed", chinese: "重置时间已过，尚待确认"},
	{english: "{scope}{window} window {n} % used", chinese: "{scope}{window}已用 {n}%"},
	{english: "the last {n} % are kept", chinese: "最后 {n}% 留作备用"},
	{english: "{scope}{window} window spent", chinese: "{scope}{window}已用完"},
	{english: "spend limit {n} % used", chinese: "消费限额已用 {n}%", advice: payAdvice},
	{english: "spend limit spent", chinese: "消费限额已用完", advice: payAdvice},
	{english: "limit {n} % used", chinese: "额度已用 {n}%"},
	{english: "limit spent", chinese: "额度已用完"},
	{english: "provider unreachable", chinese: "服务商无法连接"},
	{english: "after the provider last said usable", chinese: "此前服务商显示可用"},
	{english: "blocked by OpenClaw until {time}, provider says usable", chinese: "被 OpenClaw 停用至 {time}，但服务商显示可用"},
	{english: "OpenClaw recorded a block until {time}", chinese: "被 OpenClaw 停用至 {time}"},
	{english: "OpenClaw recorded a block", chinese: "被 OpenClaw 停用"},
	{english: "OpenClaw recorded {word} until {time}", chinese: "OpenClaw 记录为 {word}，至 {time}"},
	{english: "OpenClaw recorded {word}", chinese: "OpenClaw 记录为 {word}"},
	{english: "not probed yet", chinese: "尚未检查"},

	// What failover makes of a pool.
	{english: "no profile", chinese: "没有账号"},
	{english: "{id} is {state} and preferred{why}", chinese: "{id} {state}，且优先使用{why}"},
	{english: "{id} has more left than {id2}{why}", chinese: "{id} 剩余额度多于 {id2}{why}"},
	{english: "{id} resets before {id2}, so its quota is used first{why}", chinese: "{id} 先于 {id2} 重置，先用它的额度{why}"},
	{english: "{id} is {state}{why}; next is {id2}{why2}", chinese: "{id} {state}{why}，改用 {id2}{why2}"},
	{english: "{id} is first and {state}{why}", chinese: "{id} 排在首位，{state}{why}"},
	{english: "{id} stays first", chinese: "{id} 仍在首位"},
	{english: "second is {id}{why} in place of {id2}, which is {state}{why2}", chinese: "第二位换成 {id}{why}，原来的 {id2} {state}{why2}"},
	{english: "second is {id}{why} in place of {id2}, which bills the same account", chinese: "第二位换成 {id}{why}，原来的 {id2} 与首位是同一账户"},
	{english: "spent profiles go behind those that can serve", chinese: "额度用完的账号排到可用账号之后"},
	{english: "paid profiles are left out (paid: never)", chinese: "不使用按量付费账号（paid: never）"},
	{english: "paid profiles are left out (paid: never); next is {id}{why}", chinese: "不使用按量付费账号（paid: never），改用 {id}{why}"},
	{english: "the only profile is spent", chinese: "唯一的账号额度已用完"},
	{english: "the only profile needs a login", chinese: "唯一的账号需要重新登录"},
	{english: "all {n} profiles are spent", chinese: "{n} 个账号额度全部用完"},
	{english: "all {n} profiles need a login", chinese: "{n} 个账号全部需要重新登录"},
	{english: "no profile can serve: spent {n}, login needed {n2}", chinese: "没有可用账号：{n} 个额度用完，{n2} 个需要重新登录"},
	{english: "no profile can serve: spent {n}, login needed {n2}, refused by OpenClaw after errors {n3}", chinese: "没有可用账号：{n} 个额度用完，{n2} 个需要重新登录，{n3} 个因出错被 OpenClaw 停用"},
	{english: "first back is {id} at {time}", chinese: "最早恢复的是 {id}，{time}"},
	{english: "the pool runs dry about {time}", chinese: "预计约 {time} 所有账号额度用完"},
	{english: "the subscriptions run dry about {time}", chinese: "预计约 {time} 订阅账号额度全部用完"},
	{english: "meanwhile {id} serves, billed for every token", chinese: "在此期间由 {id} 提供服务，按量计费"},
	{english: "{id} is back first, at {time}: a gap of {lasted}", chinese: "最早恢复的是 {id}，{time}，中间空缺 {lasted}"},
	{english: "nobody knows when the first account is back", chinese: "何时恢复未知"},
	{english: "no provider answer for any profile, so it is the network or the provider", chinese: "所有账号都得不到服务商应答，应是网络或服务商的问题"},
	{english: "the order is kept", chinese: "顺序保持不变"},
	{english: "{id} is first and pinned by a person{why}", chinese: "{id} 排在首位，由人指定{why}"},
	{english: "{id} is pinned by a person{why}", chinese: "{id} 由人指定优先使用{why}"},
	{english: "ocwatch is paused", chinese: "ocwatch 已暂停"},
	{english: "the order is changed at {time}", chinese: "顺序将于 {time} 调整"},

	// What a probe concluded.
	{english: "the provider revoked this login", chinese: "登录已被服务商撤销"},
	{english: "the provider deactivated this account", chinese: "账号已被服务商停用"},
	{english: "the provider deactivated this workspace", chinese: "工作区已被服务商停用"},
	{english: "the organization does not allow this login", chinese: "所属组织不允许这种登录"},
	{english: "this token may not read its usage (no user:profile scope)", chinese: "该 token 无权读取额度（缺少 user:profile 权限）"},
	{english: "this long-lived token expired", chinese: "长期 token 已过期"},
	{english: "the provider does not accept this key", chinese: "服务商不接受该 API key"},
	{english: "the provider reports no credit, or a spend limit reached", chinese: "余额不足或已达消费限额", advice: payAdvice},
	{english: "the workspace's credit or spend limit is reached", chinese: "工作区余额不足或已达消费限额", advice: payAdvice},
	{english: "the balance is used up", chinese: "余额已用完", advice: payAdvice},
	{english: "the provider says that the balance does not suffice", chinese: "服务商提示余额不足", advice: payAdvice},
	{english: "the provider says that the balance suffices, without naming it", chinese: "服务商表示余额充足，但未给出数额"},
	{english: "the answer names no balance", chinese: "返回的内容里没有余额"},
	{english: "the key's spend limit is reached", chinese: "该 API key 已达消费限额", advice: payAdvice},
	{english: "the provider does not accept this token, and nothing renews it", chinese: "服务商不接受该 token，且不会自动续期"},
	{english: "this account has no Copilot seat", chinese: "该账号没有 Copilot 席位", advice: payAdvice},
	{english: "this token may not read Copilot's usage", chinese: "该 token 无权读取 Copilot 的额度"},
	{english: "the provider reports no quota left", chinese: "服务商表示额度已用完"},
	{english: "what is left of the plan's credits cannot be read", chinese: "套餐剩余的 credits 读不到"},
	{english: "the plan has no limit", chinese: "该套餐不限额度"},
	{english: "the limit of extra credits is reached", chinese: "额外点数已达上限", advice: payAdvice},
	{english: "the extra usage is used up", chinese: "额外用量已用完", advice: payAdvice},
	{english: "the spend limit is not reached", chinese: "未达消费限额"},
	{english: "the provider asks for payment", chinese: "服务商要求付费", advice: payAdvice},
	{english: "the usage endpoint keeps refusing this long-lived token", chinese: "额度接口一直拒绝该长期 token"},
	{english: "this key may not list models, so its validity cannot be read", chinese: "该 API key 无权列出模型，无法判断是否有效"},
	{english: "the provider did not accept the access token; OpenClaw may refresh it", chinese: "服务商不接受该 access token，OpenClaw 可能会刷新它"},
	{english: "the provider answered 401 without saying what is wrong with the key", chinese: "服务商返回 401，未说明 API key 有何问题"},
	{english: "the provider answered 403 without saying why", chinese: "服务商返回 403，未说明原因"},
	{english: "the provider asks for fewer requests", chinese: "服务商要求降低请求频率"},
	{english: "the provider redirects elsewhere ({n}); not followed", chinese: "服务商重定向到别处（{n}），未跟随"},
	{english: "something in between answered {n} in place of the provider", chinese: "中间设备代替服务商返回了 {n}"},
	{english: "the provider answered {n} {name}", chinese: "服务商返回 {n} {name}"},
	{english: "the provider answered {n}", chinese: "服务商返回 {n}"},
	{english: "the provider wants a person to validate this account", chinese: "服务商要求本人验证该账号"},
	{english: "the provider does not serve this account by this kind of login", chinese: "服务商不再向该账号提供这种登录方式"},
	{english: "the quota of every model is spent", chinese: "所有模型的额度已用完"},
	{english: "the answer leaves out what some models have left", chinese: "返回的内容里缺少部分模型的余量"},
	{english: "the answer is not usage", chinese: "返回的内容不是额度信息"},
	{english: "the answer is not a list of models", chinese: "返回的内容不是模型列表"},
	{english: "the answer is about another account", chinese: "返回的是另一个账号的额度"},
	{english: "the answer names no limit of this account", chinese: "返回的内容里没有该账号的额度"},
	{english: "the provider refuses use without naming the limit", chinese: "服务商拒绝使用，未说明是哪项额度"},
	{english: "no window reported", chinese: "未返回额度窗口"},
	{english: "credits are left", chinese: "仍有余额"},
	{english: "the key is valid; its credit cannot be read", chinese: "API key 有效，余额读不到"},
	{english: "{clause}, but its reset has passed", chinese: "{clause}，但重置时间已过"},
	{english: "profiles of this type cannot be asked for usage", chinese: "这类账号无法查询额度"},
	{english: "openclaw sends this key to a relay, not to its provider, so its usage is not asked for", chinese: "OpenClaw 把该 key 发往中转站而非服务商，因此不查询其额度"},
	{english: "openclaw's base url for this provider is not a url, so nobody knows whose key this is", chinese: "OpenClaw 中该服务商的 base url 不是有效网址，无法判断该 key 属于谁"},
	{english: "ocwatch knows no way to read this provider's quota", chinese: "ocwatch 不支持读取该服务商的额度"},
	{english: "the provider no longer has the model that is asked", chinese: "服务商已没有用于查询的模型"},
	{english: "the quota of the week or month is spent", chinese: "周额度或月额度已用完"},
	{english: "the plan has expired", chinese: "套餐已到期", advice: payAdvice},
	{english: "the plan does not include this model", chinese: "套餐不含该模型", advice: payAdvice},
	{english: "the provider restricts this account under its fair-use policy", chinese: "服务商按公平使用政策限制了该账号"},
	{english: "the provider did not accept this key, which may be of another kind or site", chinese: "服务商不接受该 key，可能是其他类型或其他站点的 key"},
	{english: "this key belongs to no plan, so there is no quota to read", chinese: "该 key 不属于任何套餐，没有额度可查"},
	{english: "the provider finds no valid membership", chinese: "服务商未查到有效会员", advice: payAdvice},
	{english: "the provider answers coding agents only", chinese: "服务商只允许编程工具访问"},
	{english: "what is left to an API key of this provider cannot be read", chinese: "该服务商的 API key 无法查询余量"},
	{english: "the probe was cancelled", chinese: "检查已取消"},
	{english: "the probe failed within ocwatch at {error}", chinese: "ocwatch 内部错误，检查失败（{error}）"},
	{english: "the probe failed within ocwatch", chinese: "ocwatch 内部错误，检查失败"},
	{english: "the configured endpoint is not a url", chinese: "配置的额度接口不是 URL"},
	{english: "probe url is not a url; write https://host/path", chinese: "额度接口不是 URL，应为 https://host/path"},
	{english: "probe url holds a login; remove everything up to the @", chinese: "额度接口的 URL 含登录信息，请删去 @ 及其之前的部分"},
	{english: "probe url has no host; write https://host/path", chinese: "额度接口的 URL 缺少主机名，应为 https://host/path"},
	{english: "probe url sends a token to {name} in the clear; use https, or a loopback address", chinese: "额度接口会把 token 明文发往 {name}，请用 https 或本机地址"},
	{english: "probe url has scheme {name}; use https", chinese: "额度接口的协议是 {name}，请用 https"},
	{english: "the stored credential could not be read", chinese: "凭据读不到"},
	{english: "the profile has no readable credential", chinese: "该账号没有可读的凭据"},
	{english: "the stored credential is not a token", chinese: "存储的凭据不是 token"},
	{english: "access token expired; OpenClaw refreshes it when it next needs it", chinese: "access token 已过期，OpenClaw 下次使用时会刷新"},
	{english: "usage endpoint failing, being asked again now", chinese: "额度接口故障，正在重试"},
	{english: "usage endpoint failing, asked again at {time}", chinese: "额度接口故障，{time} 重试"},
	{english: "answer larger than 1 MiB", chinese: "返回内容超过 1 MiB"},
	{english: "the provider's name could not be resolved", chinese: "无法解析服务商域名"},
	{english: "the provider's certificate was not accepted", chinese: "服务商的证书未通过验证"},
	{english: "tls failed", chinese: "TLS 握手失败"},
	{english: "no answer in time", chinese: "响应超时"},
	{english: "connection refused", chinese: "连接被拒绝"},
	{english: "connection failed", chinese: "连接失败"},

	// What OpenClaw's store says of a credential.
	{english: "profile {id} of agent {id2}: {clause}: {error}", chinese: "agent {id2} 的账号 {id}：{clause}（{error}）"},
	{english: "profile {id} of agent {id2}: {clause}", chinese: "agent {id2} 的账号 {id}：{clause}"},
	{english: "OpenClaw's store no longer has it", chinese: "OpenClaw 中已没有该账号"},
	{english: "{clause}, so OpenClaw does not use it", chinese: "{clause}，OpenClaw 不会使用它"},
	{english: "the entry is not a JSON object", chinese: "该条目不是 JSON 对象"},
	{english: "the entry has no type that OpenClaw knows", chinese: "该条目的类型 OpenClaw 不认识"},
	{english: "the entry names no provider", chinese: "该条目没有写明服务商"},
	{english: "the saved sign-in is inactive: a set-up in OpenClaw replaces it", chinese: "保存的登录未生效：正被 OpenClaw 中的设置流程替换"},
	{english: "OpenClaw could not refresh the login and gave it up", chinese: "OpenClaw 刷新登录失败，已放弃"},
	{english: "OpenClaw recorded that the provider refused the login for good (auth_permanent)", chinese: "OpenClaw 记录为服务商永久拒绝该登录（auth_permanent）"},
	{english: "OpenClaw is refreshing the token", chinese: "OpenClaw 正在刷新 token"},
	{english: "there is no token in the store", chinese: "OpenClaw 中没有该账号的 token"},
	{english: "what the store holds is no token: it has spaces or control characters", chinese: "存储的内容不是 token：含有空格或控制字符"},
	{english: "the token's expiry is no date", chinese: "token 的过期时间不是日期"},
	{english: "the token expired at {time}, and nothing refreshes it", chinese: "token 已于 {time} 过期，不会自动续期"},
	{english: "the access token expired at {time}, and there is no refresh token in the store", chinese: "access token 已于 {time} 过期，且没有 refresh token"},
	{english: "the access token expired at {time}; OpenClaw refreshes it when it next needs it", chinese: "access token 已于 {time} 过期，OpenClaw 下次使用时会刷新"},
	{english: "openclaw.json says that this profile is for {word}", chinese: "openclaw.json 里该账号属于 {word}"},
	{english: "openclaw.json says that this profile is of mode {word}, and the store has {word2}", chinese: "openclaw.json 里该账号的类型是 {word}，实际是 {word2}"},
	{english: "the secret is kept elsewhere (SecretRef); only OpenClaw can read it", chinese: "密钥存放在别处（SecretRef），只有 OpenClaw 能读取"},
	{english: "the tokens are in a sealed file beside the store (oauthRef); only OpenClaw can read them", chinese: "token 在单独的加密文件里（oauthRef），只有 OpenClaw 能读取"},

	// What the watchdog saw and did.
	{english: "OpenClaw's state cannot be read: {error}", chinese: "无法读取 OpenClaw 的状态：{error}"},
	{english: "the running gateway still uses the old order: {clause}", chinese: "运行中的网关仍在使用旧的顺序：{clause}"},
	{english: "it is down (no answer from /healthz)", chinese: "网关已停止（/healthz 无应答）"},
	{english: "it is down ({error})", chinese: "网关已停止（{error}）"},
	{english: "restart failed: {error}", chinese: "重启失败：{error}"},
	{english: "it is not restarted again: {clause}; wanted since {clause2}", chinese: "不再自动重启：{clause}；需要重启是因为 {clause2}"},
	{english: "restart budget is spent: {n} restarts in the last {word}, {n2} allowed", chinese: "重启次数已用完：最近 {word} 内重启 {n} 次，上限 {n2} 次"},
	{english: "possible from {word}", chinese: "{word} 起可再次重启"},

	{english: "it answers again, after {lasted}", chinese: "中断 {lasted}后恢复应答", advice: itself},
	{english: "the quota of {id} can be seen again", chinese: "又能读到 {id} 的额度了"},
	{english: "OpenClaw's state can be read again, after {lasted}", chinese: "中断 {lasted}后又能读取 OpenClaw 的状态"},
}
