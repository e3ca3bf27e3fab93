#include "policy/score/classify/prior.h"

#define SPAM true
#define HAM  false

const struct prior_text prior_texts[] = {
    /* ---- asks for a password, or for a payment ---- */
    {SPAM, "Your account has been suspended",
     "Dear customer, we detected unusual activity in your account. Your access has been limited. Please verify your "
     "account within 24 hours or it will be permanently closed. Click the link below to confirm your identity."},
    {SPAM, "Mailbox storage full",
     "Your mailbox has reached its quota and incoming messages are pending. Upgrade your storage now to keep your "
     "password and avoid deactivation. Click here to validate your email account. IT help desk."},
    {SPAM, "Password expires today",
     "The password for your email expires today. Keep the same password by clicking the button below. Failure to do so "
     "will result in loss of access. Webmail administrator."},
    {SPAM, "Unpaid invoice - final notice",
     "Please find the overdue invoice. Payment has not been received. Kindly make the payment immediately to avoid legal "
     "action. Download the attached document to view your invoice."},
    {SPAM, "Your parcel is waiting for delivery",
     "We could not deliver your package because of unpaid customs fees. Confirm the payment of 1.99 USD to schedule a new "
     "delivery. Track your shipment using the link below."},
    {SPAM, "Payment declined: update your billing details",
     "We could not process your subscription payment. Your membership has been put on hold. Update your payment "
     "information now to continue watching. Sign in to confirm your billing details."},
    {SPAM, "Your subscription has been renewed",
     "Thank you for your order. Your antivirus protection has been renewed and 399.99 USD will be charged to your account. "
     "If you did not authorize this charge call our support team immediately for a refund."},
    {SPAM, "Security alert: new sign-in",
     "Someone just used your password to try to sign in to your account. Verify your identity now to secure your wallet and "
     "bank account. Unless you confirm your details, your account will be locked."},
    {SPAM, "Secure document shared with you",
     "You have received a secure document. View the document by logging in with your email and password. This link will "
     "expire in 24 hours. Shared files, voice message, fax received."},
    {SPAM, "Tax refund notification",
     "You are eligible to receive a tax refund. Submit the refund request and your bank card details to receive your "
     "payment. The refund form is available online."},
    /* ---- promises money ---- */
    {SPAM, "I have recorded you",
     "I have full access to your device and recorded you through your webcam. Transfer the amount in bitcoin to my wallet "
     "within 48 hours or I will send the video to all your contacts. Do not reply to this email."},
    {SPAM, "Are you available?",
     "Are you at your desk? I need you to run a quick task for me. I am in a meeting and need you to purchase some gift "
     "cards. Scratch the cards and send me the codes. I will reimburse you."},
    {SPAM, "Crypto trading profits",
     "Earn passive income with our automated bitcoin trading platform. Guaranteed profit every day, no experience needed. "
     "Deposit today and withdraw your earnings any time. Limited spots available, join now!"},
    {SPAM, "Business proposal",
     "Good day. I am a barrister and I represent my late client who left a sum of 10.5 million dollars without next of kin. "
     "I seek your confidential cooperation to transfer the funds. Reply with your full name and phone number."},
    {SPAM, "Compensation payment",
     "This is to inform you that your compensation fund of 5,000,000 USD has been approved by the United Nations. Contact the "
     "bank for the release of your ATM card. Beneficiary, you must pay the delivery fee."},
    {SPAM, "Donation to you", "You have been selected to receive a donation of 2,000,000 euro from a lottery winner. My wife and "
     "I decided to give to charity. Email back for your claim."},
    {SPAM, "Loan offer", "Do you need an urgent loan? We offer business and personal loans at 3% interest rate, no credit check, "
     "fast approval. Apply today with your name, amount needed and phone."},
    {SPAM, "Work from home", "Work from home and earn 500 dollars per day. No experience required. Send your resume and start "
     "today. Hiring now, part time, flexible hours."},
    /* ---- sells ---- */
    {SPAM, "Canadian pharmacy", "Cheap meds online. Viagra, Cialis, Levitra without prescription. Lowest prices, discreet "
     "shipping, satisfaction guaranteed. Buy now and save 80%. Order today."},
    {SPAM, "Replica watches", "Luxury replica watches, bags and jewelry. Rolex, Omega, Louis Vuitton at 90% off. Perfect quality, "
     "free shipping worldwide. Shop now."},
    {SPAM, "Lose weight fast", "Doctors are stunned by this one weird trick that melts belly fat overnight. Keto gummies, no "
     "diet, no exercise. Watch the video before it is taken down. Claim your free bottle."},
    {SPAM, "Lonely girls near you", "Hot singles in your area want to meet you tonight. See my private photos. Sign up free, no "
     "credit card. I saw your profile and I want to chat."},
    {SPAM, "Bigger and harder", "Make her happy tonight. Natural male enhancement pills that work. Increase size, last longer in "
     "bed. Risk free trial."},
    {SPAM, "Rank #1 on Google", "We are a leading SEO company. I visited your website and found errors. We can place your site on "
     "the first page of Google at an affordable price. Backlinks, web design, app development. Reply for a quote."},
    {SPAM, "Business email list", "Would you be interested in acquiring an email list of decision makers in your industry? "
     "Verified contacts with phone and email. Let me know your target audience and I will send counts and pricing."},
    {SPAM, "LED manufacturer from China", "Dear sir or madam, glad to know you are in the market of our products. We are a "
     "professional manufacturer with competitive price and good quality. Welcome your inquiry, free samples, catalog."},
    {SPAM, "Congratulations! You have won", "Congratulations! You have been chosen to win a new phone. Answer a short survey and "
     "claim your reward. Offer expires today. Act now! Confirm your shipping address."},
    {SPAM, "Online casino bonus", "Get a 500% welcome bonus and 200 free spins at our online casino. No deposit needed. Play slots, "
     "blackjack and win big jackpots now."},
    {SPAM, "Exclusive offer inside", "Save up to 90% today only. Click here to get your discount. If you no longer wish to receive "
     "these emails unsubscribe here or write to our postal address."},
    {SPAM, "Stock alert", "This stock is about to explode. Huge news expected. Analysts predict a 400% gain. Buy before "
     "Monday. Do not miss this opportunity."},
    {SPAM, "Diploma", "Get a university degree based on your life experience. No exams, no classes, no books. Bachelor, master, "
     "doctorate. Call now."},
    /* ---- Japanese ---- */
    {SPAM, "【重要なお知らせ】アカウントの利用停止", "お客様のアカウントに異常なログインが検出されました。安全のためアカウントを一時停止いたしました。"
     "24時間以内に下記のリンクから本人確認を行ってください。確認がない場合、アカウントは永久に停止されます。"},
    {SPAM, "【楽天】お支払い方法の更新", "お客様のお支払い方法に問題があります。クレジットカード情報を更新してください。更新手続きはこちらをクリック。"
     "期限までにお手続きがない場合、会員サービスのご利用を制限させていただきます。"},
    {SPAM, "Amazonプライム会員資格の更新", "Amazonプライムの会員資格は自動更新されますが、お支払いカードが承認されませんでした。"
     "お支払い情報を確認し、更新してください。アカウントにログイン。"},
    {SPAM, "【三井住友カード】ご利用確認のお願い", "本人様のご利用かどうかを確認させていただきたいお取引がありましたので、カードのご利用を一部制限させていただきました。"
     "下記へアクセスの上、ご利用確認にご協力をお願いいたします。ご回答をいただけない場合。"},
    {SPAM, "お荷物のお届けについて", "お荷物をお届けに上がりましたが宛先不明のため持ち帰りました。再配達の手続きは下記のURLよりご確認ください。"},
    {SPAM, "【緊急】口座取引の一時制限", "当行の口座に不正アクセスの疑いがあるため取引を一時制限しました。ワンタイムパスワードと暗証番号を入力し制限を解除してください。"},
    {SPAM, "ETCサービス解約のお知らせ", "ETCサービスは無効になりました。引き続きサービスをご利用いただきたい場合は、下記リンクより詳細をご確認ください。"},
    {SPAM, "還付金のお知らせ", "給付金の申請が可能です。還付金を受け取るには、お客様の銀行口座情報をご登録ください。申請期限は本日までです。"},
    {SPAM, "当選おめでとうございます", "おめでとうございます。あなたは現金1億円の受取人に当選しました。今すぐ無料登録して受取手続きを完了してください。"},
    {SPAM, "人妻と出会い", "無料で会える人妻が近くにいます。完全無料の出会い系サイト。メアド交換し放題、今すぐ登録して逆援助交際。写メあり。"},
    {SPAM, "誰でも簡単に稼げる副業", "スマホだけで月収100万円を稼ぐ方法を無料公開。初心者でも簡単、在宅副業で不労所得。今だけ限定、投資で必ず儲かる。"},
    {SPAM, "あなたのパスワードが侵害されました", "あなたの端末をハッキングし、ウェブカメラで録画しました。48時間以内にビットコインを送金しなければ、動画を連絡先全員に送信します。"},
    {SPAM, "ブランドコピー 激安通販", "スーパーコピー時計、ブランド財布が激安。最高品質、全国送料無料。ロレックス、ルイヴィトン、シャネル偽物。大特価セール。"},
    {SPAM, "未納料金のお知らせ", "有料サイトの未納料金が発生しております。本日中にご連絡なき場合、法的手続きに移行します。至急ご連絡ください。"},
    {SPAM, "メールボックスの容量が上限", "メールボックスの容量が超過しました。パスワードの有効期限が切れます。継続して使用するにはこちらをクリックして認証してください。"},

    /* ---- honest: people ---- */
    {HAM, "Meeting on Thursday", "Hi Anna, does Thursday at 3 pm work for you? I have booked the small room. I will send the agenda "
     "tomorrow. Let me know if I should invite Peter as well. Best, Tom"},
    {HAM, "Re: draft", "Thanks for the draft, I read it on the train. I think section 2 is too long, and the figure is missing a "
     "legend. Otherwise it looks good to me. Can we talk about it next week?"},
    {HAM, "Dinner", "Hey, are you coming on Saturday? Mum is making the soup you like. The kids would love to see you. We can pick "
     "you up from the station if you tell us when you arrive."},
    {HAM, "Photos from the weekend", "Attached are the pictures from our hike. The weather was lovely in the end. I'll upload the rest "
     "later. Love to everybody."},
    {HAM, "Question about the build", "I tried to compile the current master with gcc and it fails in the test suite with the "
     "error below. Did anybody else see this? It worked before the last commit. I can send the full log."},
    {HAM, "[PATCH] Fix a leak in the parser", "The buffer was not freed when the header was too long. Add a test for it. "
     "Signed-off-by. diff --git a/src/parse.c b/src/parse.c +++ @@ return -1;"},
    {HAM, "Pull request review", "I left two comments on the pull request. The second commit could be squashed, and please add "
     "documentation for the new option. Looks fine apart from that."},
    {HAM, "Homework", "Dear Professor, I could not attend the lecture yesterday because I was ill. May I hand in the assignment on "
     "Monday? I am sorry for the inconvenience."},
    {HAM, "Invoice for May", "Hello, please find attached our invoice for the work done in May, as agreed in our contract. "
     "If you have any questions about it, give me a call. Kind regards"},
    {HAM, "Offer for the kitchen", "Dear Mr Brown, thank you for your visit. As discussed, our offer is attached. Delivery would take "
     "six weeks. We would be pleased to get your order. With kind regards"},
    {HAM, "Server maintenance on Sunday", "Dear colleagues, on Sunday from 6 to 8 the file server will not be available because we "
     "replace a disk. Please save your work before. If there are problems, call the help desk."},
    {HAM, "Minutes of the board", "Please find the minutes of our last meeting below. Action items: the budget has to be ready "
     "by Friday, and Susan contacts the landlord about the lease."},
    {HAM, "Password for the wifi", "The password of the guest network changed, it stands on the board in the kitchen. Tell me if "
     "your laptop does not connect."},
    {HAM, "Newsletter of the choir", "Dear members, this month we rehearse twice a week. Tickets for the concert can be bought at the door. "
     "You get this letter because you are a member; to unsubscribe, write to us."},
    {HAM, "Your order", "Thank you for your order. We have shipped it today. The bill is in the parcel. If something is wrong, simply "
     "answer this mail. Your bookshop"},
    {HAM, "Booking confirmed", "Your table for four on Friday at 19:00 is booked. Should you be late, please give us a call. We look "
     "forward to seeing you."},
    {HAM, "Out of office", "I am out of the office until Monday and read mail only now and then. In urgent cases please turn to my "
     "colleague."},
    {HAM, "Application", "Dear Ms Green, I am writing to apply for the position of a nurse at your clinic. My curriculum vitae and "
     "certificates are attached. I look forward to hearing from you."},
    {HAM, "Call for papers", "The workshop invites submissions on operating systems and networks. Papers are due in March, up to ten "
     "pages. Accepted papers appear in the proceedings. Program committee."},
    {HAM, "Re: bug 1234", "I can reproduce this with version 2.3. It looks like the timeout is not reset after a reconnect. A "
     "workaround is to set keepalive to zero. On Tue you wrote:"},
    {HAM, "test", "test"},
    {HAM, "ok", "ok, thanks!"},
    {HAM, "", "Sent from my phone"},
    {HAM, "Update", "Just a quick update: the contract is signed, and we begin on the first. Let's have a call tomorrow morning. I will send "
     "you an invitation with the link."},
    /* ---- Japanese ---- */
    {HAM, "打ち合わせの件", "お世話になっております。株式会社山田の田中です。来週の打ち合わせの件ですが、火曜日の14時からでいかがでしょうか。ご確認よろしくお願いいたします。"},
    {HAM, "Re: 見積書の送付", "お世話になっております。見積書をお送りいただきありがとうございます。社内で検討のうえ、改めてご連絡いたします。引き続きよろしくお願い申し上げます。"},
    {HAM, "議事録", "皆様、お疲れ様です。昨日の会議の議事録を添付いたします。修正点がありましたらお知らせください。"},
    {HAM, "請求書送付のご案内", "平素より大変お世話になっております。今月分の請求書を添付ファイルにてお送りいたします。ご査収のほどよろしくお願いいたします。"},
    {HAM, "明日", "明日何時に着く？駅まで迎えに行くよ。お母さんも楽しみにしてる。気をつけて来てね。"},
    {HAM, "ありがとう", "昨日はありがとう！とても楽しかったです。写真を送るね。また遊びましょう。"},
    {HAM, "レポート提出について", "先生、経済学部三年の佐藤です。昨日の講義を体調不良のため欠席いたしました。レポートの提出期限についてお伺いしたくご連絡いたしました。"},
    {HAM, "ゼミの日程", "ゼミの皆さん、来週のゼミは教室が変わります。発表担当の人は資料を前日までに共有してください。"},
    {HAM, "サーバ停止のお知らせ", "各位、日曜日の午前に機器の交換のためサーバを停止します。ご不便をおかけしますが、ご協力をお願いいたします。情報システム課"},
    {HAM, "ご注文ありがとうございます", "このたびはご注文いただき誠にありがとうございます。商品は本日発送いたしました。到着まで今しばらくお待ちください。"},
    {HAM, "同窓会のご案内", "皆様お元気でしょうか。今年の同窓会を下記の通り開催します。参加される方は今月末までに返信をお願いします。"},
    {HAM, "Re: ビルドエラー", "手元の環境でも再現しました。ヘッダのインクルード順を変えると通るようです。パッチを添付しますので確認をお願いします。"},
    {HAM, "面接のお礼", "本日はお忙しい中、面接のお時間をいただき誠にありがとうございました。貴社の事業についてのお話を伺い、ますます志望の気持ちが強くなりました。"},
    {HAM, "資料送付", "ご依頼の資料をお送りします。ご不明な点がございましたら、お気軽にお問い合わせください。"},
    {HAM, "今日の夕飯", "今日は遅くなるので先に食べていてください。牛乳とパンを買って帰ります。"},
    {HAM, "テスト", "テスト送信です。"},
};

const size_t prior_text_count = sizeof prior_texts / sizeof prior_texts[0];
