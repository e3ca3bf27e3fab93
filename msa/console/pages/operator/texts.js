// The words of the operator's page.
export default {
  en: {
    title: "Operation", sessions: "Sessions", before_auth: "{0} not signed in yet", accepted: "Accepted / min", accepted_note: "{0} since the start", refused: "Refused / min", refused_note: "by the smarthost or policy",
    failures: "Sign-in failures / min", failures_note: "{0} since the start", queue: "In the queue", queue_note: "{0} held", oldest: "Oldest waits", suspended: "Suspended", suspended_note: "accounts now", disk: "Disk left", disk_note: "{0} used by the queue",
    mail: "Mail per minute", mail_accepted: "accepted", mail_refused: "refused", mail_failed: "deferred", signins: "Sign-ins per minute", good: "good", bad: "failed", depth: "Queue depth", waiting: "waiting", ready: "due", held: "held",
    pools: "Relay pools", pool: "Pool", source: "From address", state: "State", open: "open", closed: "closed", links: "Connections", hosts: "Smarthosts dead", in_queue: "Queue", answered: "Handed over", lost: "Lost", refused_share: "Refused", deferred_share: "Deferred",
    processes: "Processes", process: "Process", up: "Up since", restarts: "Restarts", serving: "serving", starting: "starting", version: "msad {0}, configuration number {1}", started: "running for {0}",
    rules: "Rules", rule: "Rule", sentence: "What it says", mode: "Mode", hits: "Hits", enforce: "enforced", shadow: "shadow", off: "off", minutes_ago: "{0} min ago", score: "Scored", neutral: "Neutral scores", services: "Services", trend: "Accounts detected per day",
    reload: "Reload configuration", reload_about: "The configuration and the certificates are read again. A file with an error changes nothing.", reload_done: "The new configuration is in force.", hours_n: "{0} h", days_n: "{0} days", minutes_n: "{0} min", stopped: "Live figures stopped: {0}", busy: "{0} busy",
  },
  ja: {
    title: "運用", sessions: "セッション", before_auth: "うち未認証 {0}", accepted: "受付 / 分", accepted_note: "起動から {0}", refused: "拒否 / 分", refused_note: "スマートホストまたはポリシーによる",
    failures: "サインイン失敗 / 分", failures_note: "起動から {0}", queue: "キュー", queue_note: "うち保留 {0}", oldest: "最も古いもの", suspended: "停止中", suspended_note: "アカウント", disk: "ディスク残り", disk_note: "キューの使用量 {0}",
    mail: "1分あたりのメール", mail_accepted: "受付", mail_refused: "拒否", mail_failed: "一時拒否", signins: "1分あたりのサインイン", good: "成功", bad: "失敗", depth: "キューの長さ", waiting: "再送待ち", ready: "送信待ち", held: "保留",
    pools: "送信プール", pool: "プール", source: "送信元アドレス", state: "状態", open: "稼働", closed: "停止", links: "接続", hosts: "応答しないホスト", in_queue: "キュー", answered: "引き渡し", lost: "切断", refused_share: "拒否率", deferred_share: "遅延率",
    processes: "プロセス", process: "プロセス", up: "稼働時間", restarts: "再起動", serving: "稼働中", starting: "起動中", version: "msad {0}、設定 {1} 版", started: "稼働 {0}",
    rules: "ルール", rule: "ルール", sentence: "内容", mode: "モード", hits: "該当", enforce: "適用", shadow: "試行", off: "オフ", minutes_ago: "{0} 分前", score: "判定済み", neutral: "中立", services: "外部サービス", trend: "1日あたりの検出アカウント数",
    reload: "設定を再読み込み", reload_about: "設定と証明書を読み直します。誤りがある場合は何も変わりません。", reload_done: "新しい設定になりました。", hours_n: "{0} 時間", days_n: "{0} 日", minutes_n: "{0} 分", stopped: "更新が止まりました: {0}", busy: "使用中 {0}",
  },
};
