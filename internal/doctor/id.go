package doctor

import "slices"

// ID names a kind of finding. It stays the same over releases.
type ID string

// The kinds of findings.
const (
	ConfigInvalid ID = "config.invalid"

	OpenClawNotFound  ID = "openclaw.not-found"
	OpenClawNoAccess  ID = "openclaw.no-access"
	OpenClawConfig    ID = "openclaw.config"
	OpenClawNoCommand ID = "openclaw.no-command"
	OpenClawSeveral   ID = "openclaw.several"
	OpenClawFallback  ID = "openclaw.fallback"

	StoreNeedsMigration ID = "store.needs-migration"
	StoreUnknownSchema  ID = "store.unknown-schema"
	StoreCorrupt        ID = "store.corrupt"
	StoreNotPermitted   ID = "store.not-permitted"
	StoreBusy           ID = "store.busy"
	StoreEmpty          ID = "store.empty"

	GatewayDown         ID = "gateway.down"
	GatewayNotReady     ID = "gateway.not-ready"
	GatewayRefused      ID = "gateway.refused"
	GatewayUnauthorized ID = "gateway.unauthorized"
	GatewayScopes       ID = "gateway.scopes"

	OrderNone       ID = "order.none"
	OrderInConfig   ID = "order.in-config"
	OrderIncomplete ID = "order.incomplete"
	OrderExcluded   ID = "order.excluded"

	AccountDuplicate ID = "account.duplicate"
	AccountAlone     ID = "account.alone"
	AccountBlocked   ID = "account.blocked"
	AccountPaid      ID = "account.paid"
	AccountUnmetered ID = "account.unmetered"

	LoginDead       ID = "login.dead"
	LoginExpiring   ID = "login.expiring"
	LoginIdle       ID = "login.idle"
	LoginUnreadable ID = "login.unreadable"
	LoginUnseen     ID = "login.unseen"

	SessionPinned     ID = "session.pinned"
	SessionPinnedHand ID = "session.pinned-by-hand"
	SessionPinnedGone ID = "session.pinned-to-dead"
	SessionUnreadable ID = "session.unreadable"

	ClockSkew           ID = "clock.skew"
	ProviderUnreachable ID = "provider.unreachable"

	LingerOff      ID = "service.linger"
	UnitStartLimit ID = "service.start-limit"
	UnitFailed     ID = "service.failed"
	UnitRestarting ID = "service.restarting"
	UnitTight      ID = "service.tight-limit"
	UnitDisabled   ID = "service.disabled"
	UnitMissing    ID = "service.none"
	NotRunning     ID = "service.not-running"
	NoAnswer       ID = "service.no-answer"

	NotifyNone        ID = "notify.none"
	NotifyUnreachable ID = "notify.unreachable"
	NotifyGone        ID = "notify.gone"

	FileMode  ID = "file.mode"
	FileOwner ID = "file.owner"
)

var ids = []ID{
	ConfigInvalid,
	OpenClawNotFound, OpenClawNoAccess, OpenClawConfig, OpenClawNoCommand, OpenClawSeveral, OpenClawFallback,
	StoreNeedsMigration, StoreUnknownSchema, StoreCorrupt, StoreNotPermitted, StoreBusy, StoreEmpty,
	GatewayDown, GatewayNotReady, GatewayRefused, GatewayUnauthorized, GatewayScopes,
	OrderNone, OrderInConfig, OrderIncomplete, OrderExcluded,
	AccountDuplicate, AccountAlone, AccountBlocked, AccountPaid, AccountUnmetered,
	LoginDead, LoginExpiring, LoginIdle, LoginUnreadable, LoginUnseen,
	SessionPinned, SessionPinnedHand, SessionPinnedGone, SessionUnreadable,
	ClockSkew, ProviderUnreachable,
	LingerOff, UnitStartLimit, UnitFailed, UnitRestarting, UnitTight, UnitDisabled, UnitMissing, NotRunning, NoAnswer,
	NotifyNone, NotifyUnreachable, NotifyGone,
	FileMode, FileOwner,
}

// IDs lists every kind of finding, in the order of the documentation.
func IDs() []ID { return slices.Clone(ids) }
