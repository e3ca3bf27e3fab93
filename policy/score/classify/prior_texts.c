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
    /* ---- the same of later years ---- */
    {SPAM, "Delivery attempt failed",
     "We tried to deliver your package but the shipping fee is unpaid. Pay the small fee within two days "
     "or the package is returned. Confirm your address and card number to schedule a new delivery."},
    {SPAM, "Re: website",
     "I was looking at your website and found many errors that stop it from ranking. Our team of experts "
     "offers SEO, redesign and app development at low cost. May I send you a proposal and price list?"},
    {SPAM, "Change of bank details",
     "Kindly note that our bank account is under audit. Process the pending payment to the new account "
     "today and send the swift copy once done. Treat as urgent and confidential."},
    {SPAM, "Hello dear",
     "Hello my dear, I am a lonely woman looking for a serious man. I saw your profile and liked it. Write "
     "to my personal email and I will send my photos. I wait for your answer with impatience."},
    {SPAM, "Your antivirus has expired",
     "Your computer is infected with five viruses. Your protection has expired today. Renew now with a "
     "discount of 80 percent before your files and bank data are stolen."},
    {SPAM, "You are a lucky winner",
     "I am a philanthropist and have decided to give two million dollars to randomly selected individuals. "
     "Your email was selected. Reply to claim your donation and help the poor around you."},
    {SPAM, "Secret trading robot",
     "Ordinary people are becoming millionaires with this bitcoin robot. Invest 250 dollars and watch it "
     "grow every day. Register before midnight, places are limited, profit is guaranteed."},
    {SPAM, "Payment from your account",
     "I have access to your device and all your contacts. My malware recorded you on an adult site. Send "
     "bitcoin to this wallet within two days and I delete the video. Do not go to the police."},
    {SPAM, "Unusual sign-in activity",
     "We detected something unusual about a recent sign-in to your account from Russia. If this was not "
     "you, report the user now. Your account will be locked unless you validate your password."},
    {SPAM, "Free spins for you",
     "Claim your bonus and free spins. Instant withdrawal, no verification. Play roulette, slots and live "
     "blackjack and win big tonight."},
    {SPAM, "Refinance now",
     "Mortgage rates are at their lowest in forty years. Refinance your home and lower your monthly "
     "payment. Bad credit is no problem. No obligation. Fill in the short form and lenders compete for "
     "your loan."},
    {SPAM, "Out of debt",
     "Are creditors calling? Consolidate all your bills into one low monthly payment and cut your "
     "interest. Stop harassment. Get a free consultation, no home needed."},
    {SPAM, "Be your own boss",
     "Earn thousands from home with a proven system. No selling, no experience, no inventory. I made "
     "50,000 dollars in ninety days. Order the report, put your name on the list and send the letter to "
     "others. It is legal."},
    {SPAM, "Adult site",
     "The hottest girls live on webcam, uncensored. Free preview, you must be over 18. Click here to "
     "enter. No membership fee. Remove me from the list."},
    {SPAM, "Generic pills",
     "Generic pills at wholesale prices, shipped overnight in a plain package. Weight loss, hair loss, "
     "sexual health. No doctor visit, no prescription. Our doctors approve your order online."},
    {SPAM, "Toner",
     "Save up to 70% on ink and toner cartridges for all brands. Free shipping, one year guarantee. Call "
     "toll free or order online today. Reply with remove to be removed."},
    {SPAM, "Cheap software",
     "Original software at low prices. Windows, Office, Photoshop for a fraction of the retail price. "
     "Download instantly. Special offers, OEM versions, all languages."},
    {SPAM, "Human growth hormone",
     "Look younger, lose fat, build muscle and increase your energy while you sleep. Reverse aging with "
     "this clinically tested hormone. Try it free for thirty days."},
    {SPAM, "Bulk email works",
     "Reach millions of customers with bulk email. We send your ad to 10 million fresh addresses for 99 "
     "dollars. CD of addresses and software included. Call our office now."},
    {SPAM, "Investor alert",
     "The company announced record revenue. We rate it a strong buy with a target five times the price. "
     "Act before Wall Street does. This is not investment advice, the publisher was paid in shares."},
    {SPAM, "Free vacation",
     "You have been selected to receive a complimentary vacation for two. Three days in a luxury hotel and "
     "a cruise. Call within 72 hours with your confirmation number to claim your prize."},
    {SPAM, "Satellite TV",
     "Get every channel for free with this descrambler. Never pay for cable or pay per view again. Free "
     "system, free installation, this week only."},
    {SPAM, "Attention beneficiary",
     "I am the director of the foreign remittance department of a bank in Lagos. A customer died with his "
     "family in a plane crash and left twenty million. I want to present you as the next of kin. You keep "
     "forty percent. Reply with your bank details and phone number."},
    {SPAM, "Final notice: your domain",
     "Your domain name registration expires. This is a solicitation for search engine submission. Failure "
     "to complete payment may make it hard for customers to find you. Pay by card on the secure page."},
    {SPAM, "Survey reward",
     "Your opinion is worth 100 dollars. Complete this thirty second survey about your shopping and choose "
     "your gift. Today only, limited supplies. Click to confirm."},
    {SPAM, "Package from customs",
     "Your parcel has been stopped at customs. Clearance charges must be paid by bitcoin or gift card "
     "within 24 hours. Click here to release the shipment."},
    {SPAM, "Your cloud storage is full",
     "Your photos and videos will be deleted today. Your storage plan expired because your payment failed. "
     "Get 50 GB extra now for 1.95 before all your files are lost."},
    {SPAM, "Voicemail received",
     "You have a new voice message. Listen to the message by opening the attached page and signing in with "
     "your email password. Duration 0:37. This message expires today."},
    {SPAM, "Payroll update",
     "All staff must confirm their salary details before the end of today. Follow the link to the staff "
     "portal and sign in with your email and password or your pay will be delayed."},
    {SPAM, "Hire remote workers",
     "We offer a part time job as payment agent. Receive transfers to your bank account and forward them, "
     "keep ten percent. No experience, two hours a day, high salary."},
    {SPAM, "Energy device",
     "This small device cuts your electricity bill by 90 percent. Power companies hate it. Half price "
     "today, order now while supplies last. As seen on TV."},
    {SPAM, "Hearing, joints, vision",
     "Seniors are amazed by this one simple trick that restores hearing and vision in seven days. Doctors "
     "do not want you to know. Watch the free video."},
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
    {SPAM, "【重要】お支払い方法のご確認",
     "ご登録のお支払い方法が承認されませんでした。24時間以内に更新いただけない場合、アカウントの利用を停止いたします。"
     "下記のボタンよりログインし、カード情報をご入力ください。"},
    {SPAM, "カードご利用確認",
     "第三者による不正利用の可能性があるため、カードのご利用を制限させていただきました。"
     "下記のリンクにアクセスし、本人確認のお手続きをお願いいたします。"},
    {SPAM, "日給5万円",
     "スマホだけで誰でも毎日5万円を稼ぐ方法を先着100名様に無料公開。"
     "面倒な作業は一切なし。今すぐ登録するだけで現金10万円をプレゼント。"},
    {SPAM, "荷物の配達に失敗",
     "お届け先住所に不備があるため配達できませんでした。下記のリンクから住所とお支払い情報を更新してください。"
     "期限を過ぎると返送されます。"},
    {SPAM, "【国税庁】未払い税金",
     "所得税の未納があります。本日中にお支払いがない場合、財産を差し押さえます。"
     "下記のリンクより直ちにお支払いください。"},

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
    /* ---- honest: shops, services and clubs, to those who asked for it ---- */
    {HAM, "Your order is confirmed",
     "Thank you for your purchase. We have received your order and let you know as soon as it is packed. "
     "Order number, items, delivery address and the total with tax are listed below. You can change or "
     "cancel it within an hour from your account."},
    {HAM, "Out for delivery",
     "Your parcel is out for delivery and arrives today between nine and noon. Somebody should be at home "
     "to sign for it. If nobody is there, the driver leaves it with a neighbour and puts a card into your "
     "letter box."},
    {HAM, "Receipt for your payment",
     "This is the receipt for your subscription. Amount, date, card and the period it is for stand below. "
     "The invoice is attached as PDF. Nothing is left to do."},
    {HAM, "Your monthly statement",
     "Your statement of last month is available in your online banking. We never ask for a password or a "
     "code by mail. Please type our address into your browser yourself."},
    {HAM, "New sign-in on your laptop",
     "You signed in from a new browser on Linux this morning. If this was you, there is nothing to do. If "
     "it was not, change your password in the settings of your account."},
    {HAM, "Reset your password",
     "You asked for a new password. The link below works once, within an hour. If you did not ask, ignore "
     "this message and your password stays as it is."},
    {HAM, "Confirm your email address",
     "Welcome! Please confirm that this address is yours, so that we can finish setting up your account. "
     "The code is valid for ten minutes."},
    {HAM, "Your weekly digest",
     "The most read articles of the week: how a bridge was saved, an interview with the author of a new "
     "novel, recipes for the season, and letters from our readers. Read more on our site. You get this "
     "because you subscribed; you can unsubscribe at any time."},
    {HAM, "News from the museum",
     "This month we open an exhibition of landscape photographs. Guided tours take place every Sunday at "
     "eleven. Members have free entry. The cafe is open until six. To change what you get from us, use the "
     "link at the bottom."},
    {HAM, "New in our shop",
     "The new collection has arrived: light jackets, shirts of organic cotton and shoes for the rain. Free "
     "delivery for orders over fifty. Members save ten percent until Sunday, in our stores and online. "
     "View in browser. Unsubscribe. Privacy."},
    {HAM, "Product update",
     "What is new in this release: faster search, dark mode and keyboard shortcuts. We fixed the bug where "
     "exports lost their order. Read the release notes in our documentation and tell us what you think in "
     "the forum."},
    {HAM, "You have new notifications",
     "Two colleagues commented on your document and one person wants to connect with you. See what they "
     "wrote, or change in the settings how often we write to you."},
    {HAM, "Build failed",
     "The pipeline of your project failed in the stage of tests. See the log of the job for the error. The "
     "last commit was by one of your team mates."},
    {HAM, "Invitation: planning",
     "You are invited to a video call on Tuesday at ten. Join with the link, or dial in by phone. The "
     "organizer asks for an answer: yes, no, maybe."},
    {HAM, "Your booking",
     "Your reservation is confirmed: two nights, one double room with breakfast. Check-in is from three in "
     "the afternoon. You can cancel free of charge until the day before. We are looking forward to your "
     "stay."},
    {HAM, "Your flight",
     "Check-in for your flight is open. Choose your seat and get the boarding pass in the app. Please be "
     "at the gate half an hour before departure. Hand luggage may weigh eight kilos."},
    {HAM, "Reminder: your appointment",
     "This is a reminder of your appointment at the dentist's on Monday morning. If you cannot come, "
     "please call the practice a day before."},
    {HAM, "Webinar recording",
     "Thank you for taking part. The recording and the slides are now available to everybody who "
     "registered. The next session is about testing and takes place in June."},
    {HAM, "How did we do?",
     "You recently talked to our support. Would you take a minute to answer three questions about it? Your "
     "answers help us to get better."},
    {HAM, "Terms of service",
     "We are changing our terms of service and our privacy policy from the first of next month. What "
     "changes for you is summarised below; there is nothing that you have to do."},
    {HAM, "Letter to parents",
     "Dear parents, the class trip goes to the lake. The children need a packed lunch, a hat and rain "
     "clothes. Please send the form back by Wednesday."},
    {HAM, "Donation receipt",
     "Thank you for your donation to the animal shelter. The receipt for your tax return is attached. This "
     "year your help made it possible to take in ninety dogs."},
    {HAM, "Job application received",
     "We received your application and will get back to you within two weeks. If you have questions, "
     "answer to this address."},
    {HAM, "RE: Quote",
     "Thanks for getting back to me. The price per piece stays the same if you take two hundred. Delivery "
     "would be in week thirty. I attach the updated quote; let me know if you want to go ahead."},
    {HAM, "Issue 12",
     "In this issue: why compilers reorder your code, a report from the autumn conference, and a puzzle. "
     "Editorial, long reads, short news, jobs and events. Forward it to a friend. You receive this "
     "newsletter because you subscribed on our site. Unsubscribe or change your preferences."},
    {HAM, "Headlines of the day",
     "Parliament votes on the budget. Storm leaves thousands without power. Markets close higher. "
     "Scientists find water on a distant moon. Football: the results. Read the full stories on our site. "
     "Copyright, all rights reserved."},
    {HAM, "Save the date: summer fair",
     "Our summer fair takes place on the first Sunday of July. There will be music, games for children and "
     "a second-hand market. Stalls can be booked until the end of the month. We look forward to seeing "
     "you!"},
    {HAM, "Your points",
     "You have 1,240 points. They are valid until the end of next year and can be used in every store. See "
     "what you can get for them in your account. Members only. Terms apply."},
    {HAM, "Weekend offers",
     "Fresh strawberries, bread from our own bakery and coffee at a lower price until Saturday. Offers are "
     "valid in your store while stocks last. See the leaflet online. To stop these mails, unsubscribe."},
    {HAM, "Upcoming renewal",
     "Your domain renews automatically next month. The amount is charged to the card on file. If you do "
     "not want to keep it, switch off renewal in your account before. Thank you for being a customer."},
    {HAM, "Trial ends soon",
     "Your trial of the team plan ends in three days. If you want to keep your projects, choose a plan; "
     "otherwise your data is kept for thirty days. Questions? Just reply, a human reads this."},
    {HAM, "Security advisory",
     "A flaw in the parser lets a crafted file crash the server. Versions before 4.2 are affected. Upgrade "
     "to 4.2.1, which is available now. Thanks to the researchers who reported it. CVE, severity medium, "
     "workaround: disable the module."},
    {HAM, "Release 2.0 announced",
     "We are happy to announce version 2.0. Highlights: new configuration format, support for IPv6, many "
     "fixes. Packages are available from the usual mirrors. Please report problems on the mailing list. "
     "Thanks to all contributors."},
    {HAM, "Training dates",
     "Our courses for the second half of the year are open for registration. Beginners start in September, "
     "the advanced course in October. Early registration costs less. The programme is attached."},
    {HAM, "Your application",
     "We are pleased to invite you to an interview next week. Please tell us which of the dates suits you. "
     "Bring your certificates. The office is on the third floor."},
    {HAM, "Lease",
     "Enclosed is the signed copy of the lease. The keys can be collected from the agency from Monday. "
     "Please transfer the deposit to the account named in the contract."},
    {HAM, "Insurance",
     "Your policy has been extended by one year. The new certificate is enclosed. The premium is debited "
     "as before. If your circumstances have changed, please contact your adviser."},
    {HAM, "Lab results",
     "The results of your blood test are available in the patient portal. Everything is within the usual "
     "range. If you have questions, the practice is open from eight to noon."},
    {HAM, "Happy birthday",
     "Happy birthday! We hope you have a wonderful day. Have you seen the pictures that grandma sent? We "
     "call you tonight after dinner. Love, mum and dad"},
    {HAM, "Free on Friday?",
     "A few of us go to the cinema on Friday, do you want to come? Tickets are cheap before six. Let me "
     "know, I would book them tonight."},
    {HAM, "Sale of my bike",
     "Is the bike you advertised still for sale? I would come by on Saturday to have a look. Could you "
     "hold it for me until then? I can pay cash."},
    {HAM, "Re: money for the trip",
     "I paid the hotel for all of us, it is 120 each. You can give it to me in cash or transfer it, no "
     "hurry. The receipt is in the shared folder."},
    {HAM, "Account opened",
     "Your account for the library has been opened. User name and the opening hours stand below. Books can "
     "be renewed online twice. Fines are charged per day."},
    {HAM, "Ticket 48213 updated",
     "Your request has been updated by our support. We have reset the mailbox of the colleague; please ask "
     "her to sign in again. If this solves the matter, the ticket closes by itself in a week."},
    {HAM, "Backup report",
     "Backup of host db2 finished with 0 errors and 1 warning. 214 GB in 3 hours. Next run tomorrow. Disk "
     "usage of the store is 71%."},
    {HAM, "Minutes",
     "Present: eleven members. The minutes of the last meeting were approved. The treasurer reported on "
     "the accounts. The motion on fees was carried. Next meeting in May."},
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
    {HAM, "ご注文の確認",
     "このたびはご注文いただきありがとうございます。ご注文内容は以下の通りです。"
     "商品の発送が完了しましたら、改めてメールでお知らせいたします。"},
    {HAM, "発送完了のお知らせ",
     "ご注文の商品を発送いたしました。お届け予定日は明後日です。"
     "お問い合わせ番号は下記の通りです。またのご利用を心よりお待ちしております。"},
    {HAM, "【ご利用明細】",
     "今月のご利用明細が確定しました。会員ページまたはアプリからご確認いただけます。"
     "メールで暗証番号をお尋ねすることはございません。"},
    {HAM, "夏のセールのご案内",
     "いつも当店をご利用いただきありがとうございます。本日より全店で夏のセールを開催いたします。"
     "新商品も続々入荷しております。配信停止はこちらから。"},
    {HAM, "メールマガジン第百号",
     "今週の特集は、旬の野菜を使った簡単レシピです。読者の皆様からのお便りもご紹介します。"
     "次号は来週金曜日に配信予定です。"},
    {HAM, "ご予約内容の確認",
     "ご予約ありがとうございます。ご宿泊日、人数、お部屋の種類をご確認ください。"
     "チェックインは15時からとなっております。お気をつけてお越しください。"},
    {HAM, "パスワード再設定",
     "パスワード再設定のお申し込みを受け付けました。お心当たりのない場合は、このメールを破棄してください。"
     "変更は行われません。"},
    {HAM, "会員登録ありがとうございます",
     "会員登録が完了しました。マイページから登録内容の確認や変更ができます。"
     "ご不明な点はお問い合わせ窓口までご連絡ください。"},
    {HAM, "研究会のお知らせ",
     "会員の皆様。第五回研究会を開催いたします。講演者と会場は下記の通りです。"
     "参加を希望される方は事務局までお申し込みください。"},
    {HAM, "保護者会について",
     "保護者の皆様。来週の土曜日に保護者会を行います。出欠を担任までお知らせください。"
     "上履きをお持ちください。"},
    {HAM, "納品のご連絡",
     "いつもお世話になっております。ご依頼いただきました件、修正版のデータを添付いたします。"
     "お手数ですがご確認いただけますと幸いです。何卒よろしくお願い申し上げます。"},
    {HAM, "Re: 日程調整",
     "ご連絡ありがとうございます。水曜日の午後でしたら参加可能です。"
     "場所は前回と同じ会議室でよろしいでしょうか。鈴木"},
    {HAM, "定期メンテナンスのお知らせ",
     "平素は弊社サービスをご利用いただき、誠にありがとうございます。"
     "下記の日時に定期メンテナンスを実施いたします。期間中はサービスをご利用いただけません。"},
    {HAM, "アンケートのお願い",
     "先日はご来店いただきありがとうございました。よろしければアンケートにご協力ください。"
     "今後のサービス改善に役立ててまいります。"},
    {HAM, "年末のご挨拶",
     "本年も大変お世話になりました。年末年始の休業期間は下記の通りです。"
     "来年もどうぞよろしくお願いいたします。"},
};

const size_t prior_text_count = sizeof prior_texts / sizeof prior_texts[0];
